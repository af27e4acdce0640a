#include "plaudit/objective/cloning.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

SftResult sft_loss(const Tensor& logps, const Tensor& mask, const std::optional<Tensor>& weights,
                   const std::string& reduction) {
  const Check check("policy_gradient.sft_loss");
  const bool mean = reduction == "sequence_mean";
  check_tokens(check, {{"logps", logps}}, mask, mean ? ValidRows::every : ValidRows::some);
  if (weights) {
    check.dim("weights", *weights, 1);
    check.same_size("logps", logps, 0, "weights", *weights, 0);
    check.finite("weights", *weights);
  }
  check.choice("reduction", reduction, {"token_mean", "sequence_mean", "sequence_sum"});
  const auto nll = -as_real(logps);
  const auto losses = mean ? masked_mean(nll, mask, 1) : masked_sum(nll, mask, 1);
  const auto weighted = weights ? losses * as_real(*weights).to(losses.scalar_type()) : losses;
  return {reduction == "token_mean" ? weighted.sum() / valid(mask).sum() : weighted.mean(), losses};
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def(
      "sft_loss(Tensor logps, Tensor mask, Tensor? weights=None, str reduction='token_mean') -> (Tensor "
      "loss, Tensor "
      "losses)",
      [](const Tensor& logps, const Tensor& mask, const std::optional<Tensor>& weights,
         const std::string& reduction) { return as_tuple(sft_loss(logps, mask, weights, reduction)); },
      "Cross-entropy of answers, weighted.", {"41", "39"});
}

}  // namespace plaudit
