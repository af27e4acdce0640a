#include "plaudit/objective/denoising.h"

#include "plaudit/objective/denoising_losses.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Ddim, EtaOneIsTheDdpmPosteriorAndPredictionTypesAgree) {
  for_draws(200, [] {
    const auto a = uniform({3}, 0.1, 0.8), p = a + uniform({3}) * (1 - a) * 0.9;
    const auto x = normal({3, 4}), epsilon = normal({3, 4});
    const auto step = ddim_step(x, epsilon, a, p);
    const auto posterior = ddpm_posterior(x, step.pred_x0, a, p);
    expect_close(step.mean, posterior.mean, 1e-8);
    expect_close(step.std.square(), posterior.variance, 1e-8);
    const auto v = a.sqrt().unsqueeze(1) * epsilon - (1 - a).sqrt().unsqueeze(1) * step.pred_x0;
    expect_close(ddim_step(x, v, a, p, {.prediction_type = "v_prediction"}).mean, step.mean, 1e-8);
    expect_close(ddim_step(x, step.pred_x0, a, p, {.prediction_type = "sample"}).mean, step.mean, 1e-8);
    const auto clipped = ddim_step(x, epsilon, a, p, {.clip_x0 = 0.5});
    EXPECT_LE(clipped.pred_x0.abs().max().item<double>(), 0.5);
  });
}

TEST(Prdp, GradientMatchesFiniteDifferencesAndEqualRewardsTeachNothing) {
  for_draws(50, [] {
    const auto old_logps = normal({3, 4}), ref = normal({3, 4}), rewards = normal({3});
    const auto loss = [&](const auto& x) {
      return prdp_loss(x[0], old_logps, ref, rewards, {.beta = 0.5, .clip_range = 0.3}).loss;
    };
    expect_gradient(loss, {old_logps + uniform({3, 4}, -1, 1)}, 1e-4);
    const auto tied = gradients(
        [&](const auto& x) { return prdp_loss(x[0], old_logps, ref, at::ones({3})).loss; }, {normal({3, 4})});
    EXPECT_EQ(tied[0].abs().sum().item<double>(), 0);
    // The optimum: log-ratios that equal rewards/beta.
    const auto best = ref + (rewards / 0.5).unsqueeze(1);
    expect_close(prdp_loss(best, best, ref, rewards, {.beta = 0.5}).loss, at::zeros({}, at::kDouble), 1e-12);
  });
}

TEST(Denoising, AdvantagesAreClippedUnlessToldOtherwise) {
  const auto x = at::ones({2, 3}, at::kDouble), far = at::full({2}, 50.0, at::kDouble);
  EXPECT_NEAR(ddpo_loss(x, x, far).loss.item<double>(), -5, 1e-6);
  EXPECT_NEAR(ddpo_loss(x, x, far, {.advantage_clip = std::nullopt}).loss.item<double>(), -50, 1e-6);
}

TEST(Denoising, ErrorsNameTheArgument) {
  const auto x = at::ones({2, 3}, at::kDouble), half = at::full({2}, 0.5, at::kDouble);
  expect_error(ErrorKind::value, "alpha_bar_prev", [&] { ddim_step(x, x, half, half - 0.1); });
  expect_error(ErrorKind::value, "alpha_bar", [&] { ddim_step(x, x, half * 2, half * 2); });
  expect_error(ErrorKind::value, "std", [&] { gaussian_logp(x, x, half * 0); });
  expect_error(ErrorKind::value, "kind", [] { make_schedule("cosine", 4); });
  expect_error(ErrorKind::value, "beta", [&] { prdp_loss(x, x, x, half, {.beta = 0}); });
  expect_error(ErrorKind::value, "advantage_clip", [&] { ddpo_loss(x, x, half, {.advantage_clip = 0}); });
}

}  // namespace
}  // namespace plaudit
