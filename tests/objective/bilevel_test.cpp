#include "plaudit/objective/bilevel.h"

#include "plaudit/objective/returns.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TabularBatch random_batch() {
  const int64_t rows = integer(1, 4), steps = integer(1, 4), states = integer(1, 3), actions = integer(1, 3);
  return {at::randint(0, states, {rows, steps}, at::kLong), at::randint(0, actions, {rows, steps}, at::kLong),
          random_mask(rows, steps), normal({states, actions})};
}

TEST(Bilevel, JacobianAndCrossDerivativeEqualFiniteDifferences) {
  for_draws(60, [] {
    const auto batch = random_batch();
    const auto primary = normal(batch.mask.sizes()), auxiliary = normal(batch.mask.sizes()),
               phi = normal({3});
    const double gamma = 0.8, step = 1e-6;
    const auto direction = [&](const Tensor& logits, const Tensor& f, double g) {
      const TabularBatch moved{batch.states, batch.actions, batch.mask, logits};
      return inner_direction(moved, behavior_alignment_reward(primary, auxiliary, batch.mask, f), {g, 0.1})
          .flatten();
    };
    const auto mixed = behavior_alignment_reward(primary, auxiliary, batch.mask, phi);
    const auto jacobian = inner_jacobian(batch, mixed, {gamma, 0.1});
    for (int64_t i = 0; i < batch.logits.numel(); ++i) {
      auto shift = at::zeros({batch.logits.numel()}, at::kDouble);
      shift[i] = step;
      const auto by = shift.view_as(batch.logits);
      const auto column =
          (direction(batch.logits + by, phi, gamma) - direction(batch.logits - by, phi, gamma)) / (2 * step);
      expect_close(jacobian.select(1, i), column, 1e-6);
    }
    const auto cross = cross_derivative(batch, primary, auxiliary, phi, gamma);
    for (int64_t i = 0; i < 3; ++i) {
      auto by = at::zeros({3}, at::kDouble);
      by[i] = step;
      expect_close(
          cross.select(1, i),
          (direction(batch.logits, phi + by, gamma) - direction(batch.logits, phi - by, gamma)) / (2 * step),
          1e-6);
    }
    expect_close(cross.select(1, 3),
                 (direction(batch.logits, phi, gamma + step) - direction(batch.logits, phi, gamma - step)) /
                     (2 * step),
                 1e-6);
    expect_close(outer_gradient(batch, primary, gamma), inner_direction(batch, primary, {gamma, 0}));
  });
}

TEST(Implicit, TheNeumannSeriesConvergesToTheSolution) {
  for_draws(100, [] {
    const int64_t n = integer(1, 4);
    const auto root = normal({n, n});
    const auto inner = -(root.matmul(root.t()) + at::eye(n, at::kDouble)), v = normal({n}),
               cross = normal({n, 2});
    const double step = 1 / inner.norm().item<double>();
    const auto solved = implicit_gradient(v, inner, cross);
    expect_close(implicit_gradient(v, inner, cross, {"neumann", step, 20000}), solved, 1e-6);
    expect_close(neumann_inverse_product(-inner, v, step, 0), step * v);
  });
}

TEST(Returns, ToGoEqualTheDoubleSumAndIgnoreTheMask) {
  for_draws(200, [] {
    const auto mask = at::randint(0, 2, {2, 5}, at::kLong).index_fill(1, at::tensor({2}, at::kLong), 1);
    const auto rewards = normal({2, 5});
    const double gamma = uniform({}).item<double>();
    const auto dirty = rewards.masked_fill(mask.eq(0), std::nan(""));
    const auto g = returns_to_go(dirty, mask, gamma), dg = returns_gamma_derivative(dirty, mask, gamma);
    for (int64_t b = 0; b < 2; ++b) {
      for (int64_t t = 0; t < 5; ++t) {
        double sum = 0, slope = 0;
        for (int64_t j = t; j < 5 && mask[b][t].item<int64_t>(); ++j) {
          if (!mask[b][j].item<int64_t>()) continue;
          sum += std::pow(gamma, j - t) * rewards[b][j].item<double>();
          if (j > t)
            slope += static_cast<double>(j - t) * std::pow(gamma, j - t - 1) * rewards[b][j].item<double>();
        }
        EXPECT_NEAR(g[b][t].item<double>(), sum, 1e-9);
        EXPECT_NEAR(dg[b][t].item<double>(), slope, 1e-9);
      }
    }
  });
}

TEST(Bilevel, ErrorsNameTheArgument) {
  const auto batch = random_batch();
  const auto r = at::zeros(batch.mask.sizes());
  expect_error(ErrorKind::value, "inner_jacobian", [] {
    implicit_gradient(at::ones({1}), at::zeros({1, 1}), at::ones({1, 1}));
  });
  expect_error(ErrorKind::value, "step", [] {
    implicit_gradient(at::ones({1}), at::ones({1, 1}), at::ones({1, 1}), {.method = "neumann"});
  });
  expect_error(ErrorKind::value, "states", [&] {
    inner_direction({batch.states + 9, batch.actions, at::ones_like(batch.mask), batch.logits}, r, {});
  });
  expect_error(ErrorKind::shape, "phi", [&] { behavior_alignment_reward(r, r, batch.mask, at::ones({2})); });
}

}  // namespace
}  // namespace plaudit
