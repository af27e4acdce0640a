#include "plaudit/objective/metarm.h"

#include "plaudit/objective/preference_bradley_terry.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(ScoreSpread, GradientMatchesFiniteDifferences) {
  for_draws(100, [] {
    expect_gradient([](const auto& x) { return score_spread(x[0]).value; },
                    {normal({integer(1, 3), integer(2, 5)}, 2)});
  });
}

TEST(ScoreSpread, EqualScoresPullNowhere) {
  const auto grads =
      gradients([](const auto& x) { return score_spread(x[0]).value; }, {at::ones({2, 3}, at::kDouble)});
  expect_close(grads[0], at::zeros({2, 3}, at::kDouble));
}

TEST(ScoreSpread, IgnoresOrderAndShift) {
  for_draws(200, [] {
    const int64_t k = integer(2, 6);
    const auto r = normal({3, k}, 2);
    const auto spread = score_spread(r).per_prompt;
    expect_close(score_spread(r.index_select(1, at::randperm(k)) + normal({3, 1}, 50)).per_prompt, spread,
                 1e-8);
  });
}

// The closed-form step equals autograd through the two functions that it is made of.
TEST(MetarmLinearStep, EqualsAutogradOfItsTwoParts) {
  for_draws(150, [] {
    const int64_t d = integer(1, 4);
    const auto weight = normal({d}), chosen = normal({3, d}), rejected = normal({3, d}),
               meta = normal({2, 4, d});
    const auto step = metarm_linear_step(weight, chosen, rejected, meta, {.eta = 0.7, .alpha = 0.2});
    const auto ascent =
        gradients([&](const auto& w) { return score_spread(meta.matmul(w[0])).value; }, {weight})[0];
    expect_close(step.adapted, weight + 0.7 * ascent);
    const auto loss = [&](const auto& w) {
      return bradley_terry_loss(chosen.matmul(w[0]), rejected.matmul(w[0])).loss;
    };
    expect_close(step.loss, loss(std::vector<Tensor>{step.adapted}));
    expect_close(step.gradient, gradients(loss, {step.adapted})[0]);
    expect_close(step.updated, weight - 0.2 * step.gradient);
  });
}

TEST(Metarm, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "rewards", [] { score_spread(at::zeros({2, 1})); });
  const auto w = at::zeros({2}), x = at::zeros({1, 2});
  expect_error(ErrorKind::shape, "meta", [&] { metarm_linear_step(w, x, x, at::zeros({1, 2, 3})); });
  expect_error(ErrorKind::shape, "chosen", [&] {
    metarm_linear_step(at::zeros({3}), x, x, at::zeros({1, 2, 3}));
  });
}

}  // namespace
}  // namespace plaudit
