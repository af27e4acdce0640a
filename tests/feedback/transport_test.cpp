#include "plaudit/feedback/transport.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

Tensor random_law(int64_t n) {
  return at::softmax(normal({n}), 0);
}

Tensor random_distances(int64_t n) {
  return pairwise_distance(normal({n, 1, 2}));
}

// The readable twin: rounds on the potentials.
Tensor log_domain(const Tensor& cost, const Tensor& p, const Tensor& q, double eps, int64_t iters) {
  auto f = at::zeros_like(p), g = at::zeros_like(q);
  for (int64_t i = 0; i < iters; ++i) {
    f = eps * (p.log() - ((g.unsqueeze(0) - cost) / eps).logsumexp(1));
    g = eps * (q.log() - ((f.unsqueeze(1) - cost) / eps).logsumexp(0));
  }
  return ((f.unsqueeze(1) + g.unsqueeze(0) - cost) / eps).exp();
}

TEST(Sinkhorn, EqualsTheRoundsOnPotentialsAtAnyStrength) {
  for_draws(100, [] {
    const int64_t m = integer(1, 6), n = integer(1, 6);
    const auto cost = uniform({m, n}), p = random_law(m), q = random_law(n);
    const double eps = std::pow(10.0, uniform({}, -3, 1).item<double>());
    const int64_t iters = integer(0, 60);
    const auto plan = sinkhorn(cost, p, q, {eps, iters});
    if (iters == 0) return;
    expect_close(plan, log_domain(cost, p, q, eps, iters), 1e-8);
    expect_close(plan.sum(0), q, 1e-8);  // columns come last
  });
}

TEST(Assignment, NoPermutationIsCheaper) {
  for_draws(200, [] {
    const int64_t n = integer(1, 6);
    const auto cost = normal({n, n});
    const auto best = exact_assignment(cost);
    expect_close(best.plan.sum(0), at::full({n}, 1 / static_cast<double>(n), at::kDouble));
    for (int i = 0; i < 20; ++i) {
      const auto other = cost.gather(1, at::randperm(n).unsqueeze(1)).sum() / n;
      EXPECT_LE(best.cost.item<double>(), other.item<double>() + 1e-12);
    }
  });
}

TEST(Gromov, CostIsTheQuadrupleSumAndItsGradientIsRight) {
  for_draws(60, [] {
    const int64_t m = integer(1, 4), n = integer(1, 4);
    const auto source = random_distances(m), target = random_distances(n);
    const auto plan = at::softmax(normal({m * n}), 0).view({m, n});
    const auto gap = source.view({m, 1, m, 1}) - target.view({1, n, 1, n});
    const auto expected = (gap.square() * plan.view({m, n, 1, 1}) * plan.view({1, 1, m, n})).sum();
    expect_close(gromov_wasserstein_cost(source, target, plan), expected);
    const auto full = 2 * (gap.square() * plan.view({1, 1, m, n})).sum({2, 3});
    expect_close(gromov_wasserstein_gradient(source, target, plan), full);
  });
}

TEST(Gromov, FindsAShuffledCopy) {
  for_draws(10, [] {
    const int64_t n = 8;
    const auto x = normal({n, 1, 2});
    const auto order = at::randperm(n);
    const auto source = pairwise_distance(x), target = pairwise_distance(x.index_select(0, order));
    const auto found =
        entropic_gromov_wasserstein(source / source.max(), target / target.max(), std::nullopt, std::nullopt);
    expect_close(found.plan.sum(0), at::full({n}, 1.0 / n, at::kDouble), 1e-6);
    EXPECT_GE(found.cost.item<double>(), -1e-12);
  });
}

Tensor unit_distances(int64_t n) {
  const auto d = random_distances(n);
  return d / d.max();
}

double missed_marginal(const Tensor& plan) {
  return (plan.sum(1) - 1 / static_cast<double>(plan.size(0))).abs().sum().item<double>();
}

TEST(Gromov, AWarmStartEndsWhereAColdOneDoes) {
  for_draws(20, [] {
    const auto source = unit_distances(integer(2, 6)), target = unit_distances(integer(2, 6));
    const auto cold = entropic_gromov_wasserstein(source, target, {}, {}, {0.05, 3, 20'000}),
               warm = entropic_gromov_wasserstein(source, target, {}, {}, {0.05, 3, 20'000, true});
    expect_close(warm.plan, cold.plan, 1e-6);  // some settle slowly
  });
}

TEST(Gromov, AWarmStartMeetsTheMarginals) {
  for_draws(5, [] {
    const auto source = unit_distances(40), target = unit_distances(40);
    const auto cold = entropic_gromov_wasserstein(source, target, {}, {}, {5e-3, 50, 40}),
               warm = entropic_gromov_wasserstein(source, target, {}, {}, {5e-3, 50, 40, true});
    EXPECT_LT(missed_marginal(warm.plan), 0.1 * missed_marginal(cold.plan) + 1e-12);
    EXPECT_LT(missed_marginal(warm.plan), 1e-3);
  });
}

TEST(Transport, ErrorsNameTheArgument) {
  const auto c = at::zeros({2, 2}), half = at::full({2}, 0.5, at::kDouble);
  expect_error(ErrorKind::value, "p", [&] { sinkhorn(c, half + 0.1, half); });
  expect_error(ErrorKind::value, "eps", [&] { sinkhorn(c, half, half, {.eps = 0}); });
  expect_error(ErrorKind::shape, "T", [&] { gromov_wasserstein_cost(c, at::zeros({1, 1}), c); });
  expect_error(ErrorKind::value, "Cs", [&] {
    gromov_wasserstein_cost(at::tensor({0.0, 1.0, 2.0, 0.0}).view({2, 2}), c, c);
  });
  expect_error(ErrorKind::value, "k", [&] { pair_correspondence(c, 0, 2); });
}

}  // namespace
}  // namespace plaudit
