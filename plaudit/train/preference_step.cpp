#include "plaudit/train/preference_step.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

void check_segment(const Check& check, std::string_view name, const at::Tensor& logps,
                   std::string_view mask_name, const at::Tensor& mask) {
  check.not_empty(name, logps);
  check_tokens(check, {{name, logps}}, mask, ValidRows::every, mask_name);
}

void add_metrics(StepLoss& out, const PreferenceTerms& terms, const PreferenceLossValue& value,
                 const at::Tensor& labels, bool has_reference) {
  const auto pairs = static_cast<double>(labels.numel());
  const auto put = [&](const char* name, const at::Tensor& values) {
    out.sums[name] = {values.detach().sum(), pairs};
  };
  const auto margin = value.chosen_rewards - value.rejected_rewards;
  put("rewards/chosen", value.chosen_rewards);
  put("rewards/rejected", value.rejected_rewards);
  put("rewards/margin", margin);
  put("logps/chosen", terms.logps.chosen);
  put("logps/rejected", terms.logps.rejected);
  const auto decided = labels.ne(0.5).sum().item<double>();
  out.sums["rewards/accuracy"] = {((2 * labels - 1) * margin).gt(0).sum(), decided};
  if (!has_reference) return;
  const auto& [chosen, rejected, ref_chosen, ref_rejected] = terms.logps;
  put("kl", (ref_chosen - chosen + ref_rejected - rejected) / 2);
}

}  // namespace

PreferenceTerms segment_terms(const SegmentLogps& policy, const std::optional<SegmentLogps>& reference) {
  const Check check("train.segment_terms");
  check_segment(check, "a", policy.a, "mask_a", policy.mask_a);
  check_segment(check, "b", policy.b, "mask_b", policy.mask_b);
  check.same_size("a", policy.a, 0, "b", policy.b, 0);
  const auto a = masked_sum(as_real(policy.a), policy.mask_a, 1),
             b = masked_sum(as_real(policy.b), policy.mask_b, 1);
  PreferenceTerms out{{a, b, at::zeros_like(a.detach()), at::zeros_like(b.detach())},
                      valid(policy.mask_a).sum(1),
                      valid(policy.mask_b).sum(1)};
  if (!reference) return out;
  check.same_shape("a", policy.a, "reference_a", reference->a);
  check.same_shape("b", policy.b, "reference_b", reference->b);
  // Under the policy's masks: a sum over other steps would be no reference of it.
  check_segment(check, "reference_a", reference->a, "mask_a", policy.mask_a);
  check_segment(check, "reference_b", reference->b, "mask_b", policy.mask_b);
  out.logps.ref_chosen = masked_sum(as_real(reference->a).detach(), policy.mask_a, 1);
  out.logps.ref_rejected = masked_sum(as_real(reference->b).detach(), policy.mask_b, 1);
  return out;
}

StepLoss preference_step(const PreferenceLoss& loss, const PreferenceLossOptions& settings,
                         const PreferenceTerms& terms, const at::Tensor& labels, const at::Tensor& weights,
                         bool has_reference, double sft_weight) {
  const Check check("train.preference_step");
  check.same_shape("labels", labels, "logps", terms.logps.chosen);  // [B,1] would compare all with all
  check.same_shape("weights", weights, "logps", terms.logps.chosen);
  const auto value = loss.compute(terms, settings);
  auto losses = value.losses;
  // Labels that are not certain mix the losses of both orders.
  if (labels.ne(1).any().item<bool>())
    losses = labels * losses + (1 - labels) * loss.compute(swapped(terms), settings).losses;
  if (sft_weight > 0) losses = losses - sft_weight * terms.logps.chosen / terms.chosen_lengths;
  StepLoss out{(weights * losses).sum(), weights.sum().item<double>(), {}};
  add_metrics(out, terms, value, labels, has_reference);
  return out;
}

std::vector<std::string> preference_metric_names() {
  return {"kl",
          "logps/chosen",
          "logps/rejected",
          "rewards/accuracy",
          "rewards/chosen",
          "rewards/margin",
          "rewards/rejected"};
}

}  // namespace plaudit
