#include "plaudit/objective/cpl.h"

#include "plaudit/objective/preference_dpo.h"
#include "plaudit/objective/segment_regret.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

SegmentLogps random_segments(int64_t b, int64_t t) {
  return {normal({b, t}), normal({b, t}), random_mask(b, t), random_mask(b, t)};
}

TEST(Cpl, GradientMatchesFiniteDifferences) {
  for_draws(100, [] {
    const int64_t b = integer(1, 4), t = integer(1, 5);
    const auto masks = random_segments(b, t);
    const auto label = uniform({b});
    expect_gradient(
        [&](const auto& x) {
          return cpl_loss({x[0], x[1], masks.mask_a, masks.mask_b}, label, {.gamma = 0.9}).loss;
        },
        {masks.a, masks.b});
  });
}

TEST(Cpl, WithoutBiasIsReferenceFreeDpo) {
  for_draws(200, [] {
    const int64_t b = integer(1, 4), t = integer(1, 5);
    const auto s = random_segments(b, t);
    const auto a = discounted_sum(s.a, s.mask_a, 1), c = discounted_sum(s.b, s.mask_b, 1);
    const auto dpo = dpo_loss({a, c, a, c}, {.beta = 0.3, .reference_free = true});
    const auto cpl = cpl_loss(s, at::ones({b}, at::kDouble), {.alpha = 0.3, .bias = 1});
    expect_close(cpl.loss, dpo.loss);
  });
}

TEST(Cpl, IgnoresWhatTheMaskHides) {
  for_draws(200, [] {
    const int64_t b = integer(1, 4), t = integer(1, 5);
    auto s = random_segments(b, t);
    const auto label = uniform({b});
    const auto clean = cpl_loss(s, label, {.gamma = 0.9});
    s.a = at::where(s.mask_a.ne(0), s.a, NAN);
    s.b = at::where(s.mask_b.ne(0), s.b, INFINITY);
    expect_close(cpl_loss(s, label, {.gamma = 0.9}).loss, clean.loss);
  });
}

TEST(CplRank, IsInvariantToMonotoneScoresAndCountsStrictPairs) {
  for_draws(200, [] {
    const int64_t n = integer(2, 8);
    const auto s = normal({n}), scores = at::randint(0, 3, {n}, at::kDouble);
    if (scores.max().item<double>() == scores.min().item<double>()) return;
    const auto r = cpl_rank_loss(s, scores), scaled = cpl_rank_loss(s, scores.exp());
    expect_close(r.loss, scaled.loss);
    EXPECT_EQ(r.pairs.item<int64_t>(), scores.unsqueeze(1).gt(scores).sum().item<int64_t>());
  });
}

TEST(SegmentRegret, BootstrapTelescopesWhenRewardsAreValueDifferences) {
  for_draws(200, [] {
    const int64_t b = integer(1, 4), t = integer(1, 6);
    const auto mask = random_mask(b, t);
    const auto values = normal({b, t});
    const double gamma = 0.9;
    const auto next = at::constant_pad_nd(values.slice(1, 1), {0, 1});
    const auto rewards = values - gamma * next;  // every advantage is zero
    expect_close(regret_scores_bootstrap(rewards, values, mask, gamma), at::zeros({b}, at::kDouble));
    expect_close(regret_scores_direct(values, values, mask, gamma), at::zeros({b}, at::kDouble));
  });
}

TEST(Cpl, ErrorsNameTheArgument) {
  const auto s = random_segments(2, 3);
  const auto label = at::ones({2}, at::kDouble);
  expect_error(ErrorKind::value, "bias", [&] { cpl_loss(s, label, {.bias = 0}); });
  expect_error(ErrorKind::value, "gamma", [&] { cpl_loss(s, label, {.gamma = 0}); });
  expect_error(ErrorKind::value, "alpha", [&] { cpl_loss(s, label, {.alpha = -1}); });
  expect_error(ErrorKind::shape, "label", [&] { cpl_loss(s, at::ones({3}), {}); });
  expect_error(ErrorKind::empty, "scores", [&] { cpl_rank_loss(label, label); });
  expect_error(ErrorKind::value, "mask", [&] {
    const auto holes = at::tensor({1, 0, 1}, at::kLong).unsqueeze(0);
    regret_scores_bootstrap(at::zeros({1, 3}), at::zeros({1, 3}), holes);
  });
}

}  // namespace
}  // namespace plaudit
