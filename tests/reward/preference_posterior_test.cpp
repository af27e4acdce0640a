#include "plaudit/reward/preference_posterior.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(PreferencePosterior, ShrinksTheCovarianceAndKeepsItSymmetric) {
  for_draws(100, [] {
    const int64_t n = integer(2, 5);
    const auto root = normal({n, n});
    const auto prior = root.matmul(root.t());
    const auto pairs = at::randint(0, n, {4, 2}, at::kLong);
    const auto p = preference_posterior(prior, pairs, normal({4}), 0.5);
    expect_close(p.covariance, p.covariance.t(), 1e-8);
    EXPECT_LE((p.covariance.diagonal() - prior.diagonal()).max().item<double>(), 1e-8);
    // Much noise teaches nothing.
    expect_close(preference_posterior(prior, pairs, normal({4}), 1e12).covariance, prior, 1e-6);
  });
}

TEST(InferenceDistance, ResistanceIsAMetricBelowTheShortestPath) {
  for_draws(100, [] {
    const int64_t n = integer(2, 6);
    const auto edges = at::randint(0, n, {6, 2}, at::kLong);
    const auto variance = uniform({6}, 0.1, 2);
    const auto path = inference_distance(edges, variance, n),
               flow = inference_distance(edges, variance, n, "resistance");
    EXPECT_TRUE(at::isfinite(path).equal(at::isfinite(flow)));
    EXPECT_LE(at::where(at::isfinite(path), flow - path, at::zeros_like(path)).max().item<double>(), 1e-9);
    expect_close(flow.diagonal(), at::zeros({n}, at::kDouble));
  });
}

TEST(InferenceDistance, ResistanceScalesWithTheVariance) {
  const auto edges = at::tensor({0, 1, 1, 2, 0, 2}).view({3, 2});
  const auto variance = at::tensor({1.0, 2.0, 4.0}, at::kDouble);
  const auto plain = inference_distance(edges, variance, 4, "resistance");
  for (const double scale : {1e-20, 1e-12, 1e12, 1e17}) {
    const auto scaled = inference_distance(edges, scale * variance, 4, "resistance") / scale;
    expect_close(scaled.narrow(0, 0, 3).narrow(1, 0, 3), plain.narrow(0, 0, 3).narrow(1, 0, 3), 1e-9);
    EXPECT_TRUE(scaled[3][0].isinf().item<bool>()) << "a node without edges";
  }
}

TEST(AutoencodingGap, AShiftedCopyHasNone) {
  for_draws(100, [] {
    const auto r = normal({4});
    const auto gap = autoencoding_gap(r, r + 3);
    EXPECT_NEAR(gap.kl.item<double>(), 0, 1e-12);
    EXPECT_NEAR(gap.difference_mse.item<double>(), 0, 1e-12);
  });
  expect_error(ErrorKind::value, "variance", [] {
    inference_distance(at::zeros({1, 2}, at::kLong), at::zeros({1}), 2);
  });
  expect_error(ErrorKind::value, "noise_variance", [] {
    preference_posterior(at::eye(1), at::zeros({1, 2}, at::kLong), at::ones({1}), 0);
  });
}

}  // namespace
}  // namespace plaudit
