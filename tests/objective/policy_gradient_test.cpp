#include "plaudit/objective/policy_gradient.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

struct Batch {
  Tensor logps, old_logps, ref_logps, advantages, mask;
};

Batch random_batch() {
  const int64_t rows = integer(1, 3), length = integer(1, 5);
  const auto draw = [&] { return normal({rows, length}, 0.4) - 1; };
  return {draw(), draw(), draw(), normal({rows, length}), random_mask(rows, length)};
}

TEST(PpoClip, GradientMatchesFiniteDifferences) {
  for_draws(100, [] {
    const auto b = random_batch();
    const auto weights = uniform({b.mask.size(0)});
    for (const auto* kind : {"token_mean", "sequence_mean"}) {
      const PpoClipOptions options{
          .clip = {.low = 0.3, .high = 0.4, .dual_clip = 2}, .reduction = {.kind = kind}, .weights = weights};
      expect_gradient(
          [&](const auto& x) { return ppo_clip_loss(x[0], b.old_logps, b.advantages, b.mask, options).loss; },
          {b.logps});
    }
  });
}

TEST(PpoClip, OnPolicyItIsTheAdvantageAndItsGradientThePolicyGradient) {
  for_draws(200, [] {
    const auto b = random_batch();
    const auto loss = [&](const auto& x) { return ppo_clip_loss(x[0], b.logps, b.advantages, b.mask).loss; };
    const auto count = b.mask.sum();
    expect_close(loss(std::vector<Tensor>{b.logps}), -(b.advantages * b.mask).sum() / count);
    expect_close(gradients(loss, {b.logps})[0], -b.advantages * b.mask / count);
  });
}

TEST(PpoClip, AClippedTokenHasNoGradient) {
  const auto old = at::zeros({1, 2}, at::kDouble), far = at::tensor({1.0, -1.0}).to(at::kDouble).view({1, 2});
  const auto advantages = at::tensor({2.0, -2.0}).to(at::kDouble).view({1, 2}), mask = at::ones({1, 2});
  const auto result = ppo_clip_loss(far, old, advantages, mask);
  EXPECT_EQ(result.clip_fraction.item<double>(), 1);
  expect_close(
      gradients([&](const auto& x) { return ppo_clip_loss(x[0], old, advantages, mask).loss; }, {far})[0],
      old);
}

TEST(PpoClip, ExtremeRatiosStayFinite) {
  const auto old = at::full({1, 2}, -1e4, at::kDouble), now = at::zeros({1, 2}, at::kDouble),
             mask = at::ones({1, 2});
  const auto advantages = at::tensor({-1.0, 1.0}).to(at::kDouble).view({1, 2});
  EXPECT_TRUE(std::isfinite(ppo_clip_loss(now, old, advantages, mask).loss.item<double>()));
  EXPECT_TRUE(std::isfinite(ppo_clip_loss(old, now, advantages, mask).loss.item<double>()));
}

TEST(PpoValue, GradientMatchesFiniteDifferencesAndAWideClipChangesNothing) {
  for_draws(100, [] {
    const auto b = random_batch();
    expect_gradient(
        [&](const auto& x) { return ppo_value_loss(x[0], b.old_logps, b.ref_logps, b.mask, 0.2); },
        {b.logps});
    expect_close(ppo_value_loss(b.logps, b.old_logps, b.ref_logps, b.mask, 1e6),
                 ppo_value_loss(b.logps, b.old_logps, b.ref_logps, b.mask, std::nullopt));
  });
}

TEST(Grpo, GradientMatchesFiniteDifferencesInEveryReduction) {
  for_draws(80, [] {
    const auto b = random_batch();
    const auto advantages = normal({b.mask.size(0)});
    for (const auto& reduction :
         {TokenReduction{"token_mean"}, TokenReduction{"sequence_mean"}, TokenReduction{"constant", 7}}) {
      expect_gradient(
          [&](const auto& x) {
            return grpo_loss(x[0], b.old_logps, b.ref_logps, advantages, b.mask,
                             {.beta = 0.3, .reduction = reduction})
                .loss;
          },
          {b.logps});
    }
  });
}

TEST(Grpo, IsTheTokenSurrogatePlusThePenalty) {
  for_draws(200, [] {
    const auto b = random_batch();
    const auto row = normal({b.mask.size(0)});
    const auto r = grpo_loss(b.logps, b.old_logps, b.ref_logps, row, b.mask, {.beta = 0.2});
    const auto surrogate = ppo_clip_loss(b.logps, b.old_logps, row.unsqueeze(1).expand_as(b.mask), b.mask,
                                         {.reduction = {.kind = "sequence_mean"}});
    expect_close(r.policy_loss, surrogate.loss);
    expect_close(r.loss, r.policy_loss + 0.2 * r.kl);
    EXPECT_GE(r.kl.item<double>(), -1e-12);
  });
}

TEST(TokenLosses, PaddingAndOrderDoNotMatter) {
  for_draws(200, [] {
    const auto b = random_batch();
    const int64_t rows = b.mask.size(0);
    const auto nan = at::full({rows, 2}, std::nan(""), at::kDouble), none = at::zeros({rows, 2}, at::kLong);
    const auto order = at::randperm(rows);
    const auto wide = [&](const Tensor& t) { return at::cat({t, nan}, 1).index_select(0, order); };
    const auto mask = at::cat({b.mask, none}, 1).index_select(0, order);
    for (const auto* kind : {"token_mean", "sequence_mean"}) {
      const PpoClipOptions options{.reduction = {.kind = kind}};
      const auto plain = ppo_clip_loss(b.logps, b.old_logps, b.advantages, b.mask, options);
      const auto other = ppo_clip_loss(wide(b.logps), wide(b.old_logps), wide(b.advantages), mask, options);
      expect_close(other.loss, plain.loss);
      expect_close(other.clip_fraction, plain.clip_fraction);
      expect_close(other.approx_kl, plain.approx_kl);
    }
    expect_close(ppo_value_loss(wide(b.logps), wide(b.old_logps), wide(b.advantages), mask),
                 ppo_value_loss(b.logps, b.old_logps, b.advantages, b.mask));
  });
}

TEST(AdaptiveKl, RisesAboveTheTargetAndFallsBelow) {
  EXPECT_DOUBLE_EQ(adaptive_kl(0.1, 6, 6, 10000, 256), 0.1);
  EXPECT_GT(adaptive_kl(0.1, 7, 6, 10000, 256), 0.1);
  EXPECT_LT(adaptive_kl(0.1, 5, 6, 10000, 256), 0.1);
  EXPECT_DOUBLE_EQ(adaptive_kl(0.1, 1e9, 6, 100, 100), 0.12);
}

TEST(PolicyGradient, ErrorsNameTheArgument) {
  const auto x = at::zeros({2, 3}), ok = at::ones({2, 3}), row = at::zeros({2});
  expect_error(ErrorKind::empty, "mask", [&] { ppo_clip_loss(x, x, x, x); });
  expect_error(ErrorKind::value, "clip", [&] { ppo_clip_loss(x, x, x, ok, {.clip = {.low = 0}}); });
  expect_error(ErrorKind::value, "reduction",
               [&] { ppo_clip_loss(x, x, x, ok, {.reduction = {.kind = "mean"}}); });
  expect_error(ErrorKind::shape, "weights", [&] { ppo_clip_loss(x, x, x, ok, {.weights = at::ones({3})}); });
  expect_error(ErrorKind::value, "max_length",
               [&] { grpo_loss(x, x, x, row, ok, {.reduction = {.kind = "constant"}}); });
  expect_error(ErrorKind::shape, "advantages", [&] { grpo_loss(x, x, x, at::zeros({3}), ok); });
  expect_error(ErrorKind::value, "target", [] { adaptive_kl(0.1, 1, 0); });
}

}  // namespace
}  // namespace plaudit
