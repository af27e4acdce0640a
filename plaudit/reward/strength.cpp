#include "plaudit/reward/strength.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_strength(const Check& check, const Tensor& strength) {
  check.not_empty("strength", strength);
  check.dim("strength", strength, 1);
  check.no_nan("strength", strength);
}

void check_flip(const Check& check, const Tensor& strength, const Tensor& flip) {
  check.not_empty("strength", strength);
  check.dim("strength", strength, 1);
  check.same_shape("strength", strength, "flip", flip);
  check.no_nan("strength", strength);
}

}  // namespace

PreferenceStrength preference_strength(const Tensor& chosen_scores, const Tensor& rejected_scores) {
  const Check check("reward.preference_strength");
  check.alike({{"chosen_scores", chosen_scores}, {"rejected_scores", rejected_scores}}, 2);
  const auto difference = as_real(chosen_scores) - as_real(rejected_scores);
  const auto mean = difference.mean(0);
  return {mean, difference.std(0, /*unbiased=*/false), mean.lt(0).to(mean.scalar_type()).mean()};
}

StrengthGroups strength_groups(const Tensor& strength, int64_t groups) {
  const Check check("reward.strength_groups");
  check_strength(check, strength);
  const int64_t n = strength.size(0);
  check.that(groups >= 1 && groups <= n, "groups", fmt::format("in [1, {}]", n), groups);
  // The first n % groups groups hold one more than the others: place p belongs to group p/(size+1) there and
  // counts from the end of the large groups after that.
  const int64_t size = n / groups, larger = n % groups;
  const auto place = at::arange(n, strength.options().dtype(at::kLong));
  const auto group_of_place = at::where(place < larger * (size + 1), place.floor_divide(size + 1),
                                        larger + (place - larger * (size + 1)).floor_divide(size));
  const auto order = at::argsort(strength, /*stable=*/true, 0, /*descending=*/false);
  const auto group = at::zeros_like(group_of_place).index_put({order}, group_of_place);
  const auto values = as_real(strength);
  const auto sums = at::zeros({groups}, values.options()).index_add(0, group, values);
  return {group, sums / at::bincount(group, {}, groups)};
}

Tensor flip_weakest(const Tensor& strength, const FlipOptions& options) {
  const Check check("filter.flip_weakest");
  check_strength(check, strength);
  check.that(options.fraction >= 0 && options.fraction <= 1, "fraction", "in [0, 1]", options.fraction);
  const int64_t n = strength.size(0);
  const auto count = static_cast<int64_t>(std::floor(options.fraction * static_cast<double>(n) + 1e-9));
  const auto weakest = at::argsort(strength, /*stable=*/true, 0, /*descending=*/false).slice(0, 0, count);
  const auto flip = at::zeros({n}, strength.options().dtype(at::kBool)).index_fill(0, weakest, 1);
  return options.only_negative ? flip.logical_and(strength < 0) : flip;
}

Tensor adaptive_margin(const Tensor& strength, const Tensor& flip, const MarginOptions& options) {
  const Check check("preference.adaptive_margin");
  check_flip(check, strength, flip);
  check.that(options.clip >= 0, "clip", ">= 0", options.clip);
  const auto scaled = options.scale * as_real(strength);
  const auto margin = at::where(flip.ne(0), -scaled, scaled);
  return options.clip > 0 ? margin.clamp(-options.clip, options.clip) : margin;
}

Tensor soft_labels(const Tensor& strength, const Tensor& flip, const SoftLabelOptions& options) {
  const Check check("preference.soft_labels");
  check_flip(check, strength, flip);
  check.that(options.alpha >= 0 && options.alpha <= 1, "alpha", "in [0, 1]", options.alpha);
  const auto s = as_real(strength);
  const bool strong = options.above && *options.above != INFINITY;  // nothing is above infinity
  const auto chosen = strong ? s > *options.above : s < options.below;
  return chosen.logical_and(flip.eq(0)).to(s.scalar_type()) * options.alpha;
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "preference_strength(Tensor chosen_scores, Tensor rejected_scores) -> (Tensor mean, Tensor std, "
      "Tensor negative_fraction)",
      [](const Tensor& chosen, const Tensor& rejected) {
        return as_tuple(preference_strength(chosen, rejected));
      },
      "Mean and deviation over an ensemble of the score difference of each pair.", {"17"});
  m.def("strength_groups(Tensor strength, int groups=20) -> (Tensor group, Tensor group_mean)",
        [](const Tensor& strength, int64_t groups) { return as_tuple(strength_groups(strength, groups)); },
        "Splits pairs into equal groups by ascending strength.", {"17"});
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def("flip_weakest(Tensor strength, float fraction=0.2, bool only_negative=False) -> (Tensor flip)",
        [](const Tensor& strength, double fraction, bool only_negative) {
          return flip_weakest(strength, {fraction, only_negative});
        },
        "Marks the weakest pairs, whose labels are to be turned round.", {"17"});
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("adaptive_margin(Tensor strength, Tensor flip, float scale=1., float clip=0.) -> (Tensor margin)",
        [](const Tensor& strength, const Tensor& flip, double scale, double clip) {
          return adaptive_margin(strength, flip, {scale, clip});
        },
        "Bradley-Terry margins from preference strength.", {"17"});
  m.def(
      "soft_labels(Tensor strength, Tensor flip, float alpha=0.1, float below=0., float? above=None) -> "
      "(Tensor label_smoothing)",
      [](const Tensor& strength, const Tensor& flip, double alpha, double below,
         std::optional<double> above) {
        return soft_labels(strength, flip, {alpha, below, above});
      },
      "Label smoothing for the pairs that an ensemble doubts.", {"17"});
}

}  // namespace plaudit
