#include "plaudit/reward/gaussian_heads.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(GaussianHeads, DeviationsArePositiveAndDoNotOverflow) {
  for_draws(100, [] {
    const auto r = gaussian_heads(normal({3, 2, 2}, 1000));
    EXPECT_TRUE((r.std >= 1e-3).all().item<bool>());
    EXPECT_TRUE(at::isfinite(r.std).all().item<bool>());
    expect_gradient(
        [](const auto& x) {
          auto h = gaussian_heads(x[0]);
          return (h.mean * h.std).sum();
        },
        {normal({2, 2, 2})});
  });
}

TEST(BrmeLoss, ItsExpectationOverNoiseIsTheClosedForm) {
  at::manual_seed(0);
  const auto mean = normal({2, 3}), std = uniform({2, 3}), target = normal({2});
  auto total = at::zeros({}, at::kDouble);
  constexpr int draws = 20000;
  for (int i = 0; i < draws; ++i) total += brme_loss(mean, std, target, {.noise = normal({2, 3})});
  expect_close(total / draws, brme_loss(mean, std, target), 0.02);
}

TEST(BrmeLoss, GradientMatchesFiniteDifferencesAndSkipsTheMask) {
  for_draws(100, [] {
    const auto mask = random_mask(3, 2);
    auto target = normal({3, 2});
    auto noise = normal({3, 2});
    for (auto& x : {&target, &noise}) x->masked_fill_(mask.eq(0), std::nan(""));
    for (const bool noisy : {false, true}) {
      BrmeOptions options{.head_mask = mask};
      if (noisy) options.noise = noise;
      expect_gradient([&](const auto& x) { return brme_loss(x[0], x[1], target, options); },
                      {normal({3, 2}), uniform({3, 2}, 0.1, 1)});
    }
  });
}

TEST(BrmeLoss, ValuesThatAHeadDoesNotSeeAreNeverRead) {
  const auto mask = at::tensor({1, 0}).view({1, 2});
  const auto with = [](double unseen) { return at::tensor({0.5, unseen}, at::kDouble).view({1, 2}); };
  const auto nan = std::nan("");
  expect_close(brme_loss(with(nan), with(nan), with(nan), {.noise = with(nan), .head_mask = mask}),
               brme_loss(with(1), with(1), with(1), {.noise = with(1), .head_mask = mask}));
  expect_error(ErrorKind::nan, "mean", [&] { brme_loss(with(nan), with(1), with(1)); });
}

TEST(RobustReward, RunsFromTheNominalToTheWorst) {
  for_draws(200, [] {
    const auto mean = normal({4, 3}), std = uniform({4, 3}, 0.1, 1);
    for (const auto* mode : {"per_sample", "batch"}) {
      const auto r = robust_reward(mean, std, {.lambda = 1, .uncertainty = mode});
      expect_close(r.reward, nominal_head(mean, std).reward);
      const auto w = robust_reward(mean, std, {.lambda = 0, .uncertainty = mode});
      expect_close(w.reward, w.worst);
      const auto more = robust_reward(mean, std, {.lambda = 0, .uncertainty = mode, .kappa = 0.5});
      EXPECT_LE(more.worst.mean().item<double>(), w.worst.mean().item<double>() + 1e-12);
    }
    expect_close(robust_reward(mean, std, {.lambda = 0}).worst, mean.amin(1));
    expect_close(robust_reward(mean, std, {.lambda = 0, .uncertainty = "batch"}).worst.mean(),
                 mean.mean(0).min());
  });
}

TEST(GaussianHeads, ErrorsNameTheArgument) {
  const auto x = at::zeros({2, 3});
  expect_error(ErrorKind::shape, "raw", [] { gaussian_heads(at::zeros({2, 3, 1})); });
  expect_error(ErrorKind::value, "std", [&] { nominal_head(x, x - 1); });
  expect_error(ErrorKind::empty, "head_mask", [&] { brme_loss(x, x, x, {.head_mask = x}); });
  expect_error(ErrorKind::value, "uncertainty", [&] { robust_reward(x, x, {.uncertainty = "sample"}); });
}

}  // namespace
}  // namespace plaudit
