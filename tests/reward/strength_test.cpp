#include "plaudit/reward/strength.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(PreferenceStrength, IsAntisymmetricAndIgnoresTheOrderOfModels) {
  for_draws(200, [] {
    const int64_t models = integer(1, 6), pairs = integer(1, 8);
    const auto c = normal({models, pairs}), r = normal({models, pairs});
    const auto s = preference_strength(c, r), swapped = preference_strength(r, c);
    expect_close(swapped.mean, -s.mean);
    expect_close(swapped.std, s.std);
    const auto order = at::randperm(models);
    expect_close(preference_strength(c.index_select(0, order), r.index_select(0, order)).std, s.std);
    expect_close(s.negative_fraction + swapped.negative_fraction, at::ones({}, at::kDouble));
  });
}

TEST(StrengthGroups, AreSortedEqualAndComplete) {
  for_draws(300, [] {
    const int64_t n = integer(1, 30), groups = integer(1, n);
    const auto s = (normal({n}) * 2).round();  // many ties
    const auto r = strength_groups(s, groups);
    const auto sizes = at::bincount(r.group, {}, groups);
    for (int64_t g = 0; g < groups; ++g)
      EXPECT_EQ(sizes[g].item<int64_t>(), n / groups + (g < n % groups ? 1 : 0));
    // A stable sort by strength visits the groups in order.
    const auto order = at::argsort(s, true, 0, false);
    EXPECT_TRUE((r.group.index_select(0, order).diff() >= 0).all().item<bool>());
    expect_close((r.group_mean * sizes).sum(), s.sum());
  });
}

TEST(FlipWeakest, FlipsExactlyTheWeakest) {
  for_draws(300, [] {
    const int64_t n = integer(1, 30);
    const double fraction = uniform({}).item<double>();
    const auto s = (normal({n}) * 2).round();
    const auto flip = flip_weakest(s, {.fraction = fraction});
    EXPECT_EQ(flip.sum().item<int64_t>(),
              static_cast<int64_t>(std::floor(fraction * static_cast<double>(n) + 1e-9)));
    if (flip.any().item<bool>() && !flip.all().item<bool>()) {
      EXPECT_LE(s.masked_select(flip).max().item<double>(),
                s.masked_select(flip.logical_not()).min().item<double>());
    }
    const auto negative = flip_weakest(s, {.fraction = fraction, .only_negative = true});
    EXPECT_TRUE(at::equal(negative, flip.logical_and(s < 0)));
  });
}

TEST(AdaptiveMargin, FollowsTheSignOfTheLabelInUse) {
  for_draws(200, [] {
    const auto s = normal({8}, 4);
    const auto flip = at::randint(0, 2, {8}, at::kBool);
    const auto margin = adaptive_margin(s, flip, {.scale = 2, .clip = 3});
    EXPECT_LE(margin.abs().max().item<double>(), 3);
    expect_close(adaptive_margin(s, flip.logical_not(), {.scale = 2, .clip = 3}), -margin);
    // Flipping all negative pairs leaves no negative margin.
    EXPECT_GE(adaptive_margin(s, s < 0).min().item<double>(), 0);
  });
}

TEST(SoftLabels, SmoothWhatIsDoubtedOrTooEasyAndNotFlipped) {
  for_draws(200, [] {
    const auto s = normal({8});
    const auto flip = at::randint(0, 2, {8}, at::kBool);
    const auto doubted = (s < -0.5).logical_and(flip.logical_not());
    expect_close(soft_labels(s, flip, {.alpha = 0.2, .below = -0.5}), doubted.to(at::kDouble) * 0.2);
    expect_close(soft_labels(s, flip, {.alpha = 0.2, .below = -0.5, .above = INFINITY}),
                 doubted.to(at::kDouble) * 0.2);
    const auto easy = (s > 0.5).logical_and(flip.logical_not());
    expect_close(soft_labels(s, flip, {.alpha = 0.2, .below = -0.5, .above = 0.5}),
                 easy.to(at::kDouble) * 0.2);
  });
}

TEST(Strength, ErrorsNameTheArgument) {
  const auto s = at::zeros({3}), none = at::zeros({0}), flip = at::zeros({3}, at::kBool);
  expect_error(ErrorKind::shape, "rejected_scores", [] {
    preference_strength(at::zeros({2, 3}), at::zeros({3, 2}));
  });
  expect_error(ErrorKind::value, "groups", [&] { strength_groups(s, 4); });
  expect_error(ErrorKind::value, "groups", [&] { strength_groups(s, 0); });
  expect_error(ErrorKind::empty, "strength", [&] { flip_weakest(none); });
  expect_error(ErrorKind::value, "fraction", [&] { flip_weakest(s, {.fraction = -0.1}); });
  expect_error(ErrorKind::shape, "flip", [&] { adaptive_margin(s, flip.slice(0, 1)); });
  expect_error(ErrorKind::nan, "strength", [&] { soft_labels(s / 0, flip); });
}

}  // namespace
}  // namespace plaudit
