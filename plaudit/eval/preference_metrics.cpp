#include "plaudit/eval/preference_metrics.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

Tensor reward_difference(const Check& check, const Tensor& chosen, const Tensor& rejected) {
  check.alike({{"chosen_rewards", chosen}, {"rejected_rewards", rejected}}, 1);
  return as_real(chosen) - as_real(rejected);
}

// 1 where the difference is positive, 1/2 at a tie, 0 where negative.
Tensor half_credit(const Tensor& difference) {
  return (difference.sgn() + 1) / 2;
}

}  // namespace

PreferenceAccuracy preference_accuracy(const Tensor& chosen_rewards, const Tensor& rejected_rewards,
                                       const std::string& ties) {
  const Check check("eval.preference_accuracy");
  const auto d = reward_difference(check, chosen_rewards, rejected_rewards);
  check.choice("ties", ties, {"half", "wrong"});
  const auto correct = ties == "half" ? half_credit(d) : d.gt(0).to(d.scalar_type());
  return {correct.mean(), d.size(0)};
}

PreferenceCalibration preference_calibration(const Tensor& chosen_rewards, const Tensor& rejected_rewards,
                                             int64_t bins) {
  const Check check("eval.preference_calibration");
  const auto d = reward_difference(check, chosen_rewards, rejected_rewards);
  check.that(bins >= 1, "bins", ">= 1", bins);
  const auto p = at::sigmoid(d), confidence = at::sigmoid(d.abs());
  const auto bin = ((confidence - 0.5) * (2 * bins)).floor().clamp_max(bins - 1).to(at::kLong);
  const auto total = [&](const Tensor& x) { return at::zeros({bins}, x.options()).index_add(0, bin, x); };
  const auto count = total(at::ones_like(bin));
  const auto members = count.clamp_min(1);
  const auto bin_confidence = total(confidence) / members, bin_accuracy = total(half_credit(d)) / members;
  const auto gap = (bin_accuracy - bin_confidence).abs();  // 0 in an empty bin
  const auto ece = (gap * count).sum() / static_cast<double>(d.size(0));
  return {ece,          gap.max(), -at::log_sigmoid(d).mean(), (1 - p).square().mean(), bin_confidence,
          bin_accuracy, count};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def(
      "preference_accuracy(Tensor chosen_rewards, Tensor rejected_rewards, str ties='half') -> (Tensor "
      "accuracy, int count)",
      [](const Tensor& chosen, const Tensor& rejected, const std::string& ties) {
        return as_tuple(preference_accuracy(chosen, rejected, ties));
      },
      "Share of pairs whose chosen answer scores higher.", {"17", "48"});
  m.def(
      "preference_calibration(Tensor chosen_rewards, Tensor rejected_rewards, int bins=10) -> (Tensor "
      "ece, Tensor mce, Tensor nll, Tensor brier, Tensor bin_confidence, Tensor bin_accuracy, Tensor "
      "bin_count)",
      [](const Tensor& chosen, const Tensor& rejected, int64_t bins) {
        return as_tuple(preference_calibration(chosen, rejected, bins));
      },
      "Calibration of the preference probabilities that rewards imply.", {"17"});
}

}  // namespace plaudit
