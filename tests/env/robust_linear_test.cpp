#include "plaudit/env/robust_linear.h"

#include "plaudit/env/robust_dual.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

double chi2_by_grid(const Tensor& v, const Tensor& p, double lam) {
  double best = -1e300;
  const double low = v.min().item<double>(), high = v.max().item<double>();
  for (int i = 0; i <= 20000; ++i) {
    const auto x = v.clamp_max(low + (high - low) * i / 20000);
    const auto mean = (p * x).sum();
    best = std::max(best, (mean - ((p * x.square()).sum() - mean.square()) / (4 * lam)).item<double>());
  }
  return best;
}

TEST(RobustDual, LiesBetweenTheMinimumAndTheMeanAndRisesWithThePrice) {
  for_draws(200, [] {
    const auto v = uniform({5}, 0, 2), p = at::softmax(normal({5}, 2), 0);
    const double mean = (p * v).sum().item<double>(), least = v.min().item<double>();
    for (const auto f : {+[](const Tensor&x, const Tensor&q, double l) { return robust_dual_tv(x, q, l); },
                         &robust_dual_kl, &robust_dual_chi2}) {
      double before = least - 1e-12;
      for (const double lam : {0.01, 0.1, 1.0, 10.0, 1000.0}) {
        const double now = f(v, p, lam).item<double>();
        EXPECT_GE(now, before - 1e-9);
        EXPECT_LE(now, mean + 1e-9);
        before = now;
      }
      EXPECT_NEAR(before, mean, 1e-2);
    }
    EXPECT_NEAR(robust_dual_tv(v, p, 0).item<double>(), least, 1e-12);
  });
}

TEST(RobustDual, ChiSquareIsTheMaximumOverTheGrid) {
  for_draws(10, [] {
    const auto v = uniform({6}, 0, 2), p = at::softmax(normal({6}, 2), 0);
    const double lam = uniform({}, 0.05, 2).item<double>();
    const double grid = chi2_by_grid(v, p, lam), exact = robust_dual_chi2(v, p, lam).item<double>();
    EXPECT_GE(exact, grid - 1e-9);
    EXPECT_NEAR(exact, grid, 1e-4);
  });
}

TEST(RobustWeights, ChiSquareIsTheMaximumOverTheGrid) {
  for_draws(10, [] {
    const auto phi = at::softmax(normal({8, 3}), 1), v = uniform({8}, 0, 3);
    const double lam = uniform({}, 0.1, 1).item<double>();
    const auto exact = r2pvi_weights(phi, v, {"chi2", lam, 0.1, 3});
    const auto estimator = at::linalg_solve(ridge_gram(phi, 0.1), phi.t());
    auto best = at::full({3}, -1e300, at::kDouble);
    for (int i = 0; i <= 4000; ++i) {
      const auto x = v.clamp_max(v.max().item<double>() * i / 4000);
      const auto z = at::mv(estimator, x).clamp(0, 3), z2 = at::mv(estimator, x.square()).clamp(0, 9);
      best = at::maximum(best, z + (z.square() - z2) / (4 * lam));
    }
    EXPECT_GE((exact - best).min().item<double>(), -1e-9);
    expect_close(exact, best, 2e-3);
  });
}

TEST(RobustWeights, AHighPriceGivesTheLeastSquaresMean) {
  for_draws(60, [] {
    const auto phi = at::softmax(normal({8, 3}), 1), v = uniform({8}, 0.5, 1);
    const auto mean = at::linalg_solve(ridge_gram(phi, 0.1), at::mv(phi.t(), v));
    expect_close(r2pvi_weights(phi, v, {"tv", 1e6, 0.1, 3}), mean, 1e-6);
  });
}

TEST(RobustLinear, ErrorsNameTheArgument) {
  const auto x = at::ones({2, 1});
  expect_error(ErrorKind::value, "ridge", [&] { ridge_gram(x, 0); });
  expect_error(ErrorKind::value, "ridge", [&] {
    r2pvi_weights(at::ones({2, 2}), at::ones({2}), {.ridge = std::numeric_limits<double>::infinity()});
  });
  expect_error(ErrorKind::value, "ridge must be larger", [&] {
    r2pvi_weights(at::ones({4, 2}), at::ones({4}), {.ridge = 1e-300});
  });
  expect_error(ErrorKind::value, "lam",
               [&] { r2pvi_weights(x, at::ones({2}), {.divergence = "kl", .lam = 0}); });
  expect_error(ErrorKind::value, "gram", [&] { pessimistic_q(x, at::ones({1}), -at::ones({1, 1}), {}); });
  expect_error(ErrorKind::value, "nominal", [] { robust_dual_kl(at::ones({2}), at::ones({2}), 1); });
}

}  // namespace
}  // namespace plaudit
