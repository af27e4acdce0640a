#include "plaudit/objective/superhf.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {

SuperhfResult superhf_loss(const Tensor& logits, const Tensor& ref_logits, const Tensor& targets,
                           const Tensor& mask, const SuperhfOptions& options) {
  const Check check("policy_gradient.superhf_loss");
  check.not_empty("logits", logits);
  check.not_empty("ref_logits", ref_logits);
  check_tokens(check, {{"targets", targets}}, mask, ValidRows::some);
  check.dim("logits", logits, 3);
  check.same_shape("logits", logits, "ref_logits", ref_logits);
  check.same_size("logits", logits, 0, "targets", targets, 0);
  check.same_size("logits", logits, 1, "targets", targets, 1);
  const auto rows = mask.unsqueeze(-1);
  check.finite_where("logits", logits, rows);
  check.finite_where("ref_logits", ref_logits, rows);
  const auto labels = keep_valid(targets, mask).to(at::kLong);
  check.index_range("targets", labels, 0, logits.size(2));
  check.that(options.kl_coef >= 0, "kl_coef", ">= 0", options.kl_coef);
  check.choice("direction", options.direction, {"ref_policy", "policy_ref"});
  check.that(options.inverse_loss_penalty >= 0, "inverse_loss_penalty", ">= 0", options.inverse_loss_penalty);

  const auto policy = at::log_softmax(keep_valid(as_real(logits), rows), -1);
  const auto ref = at::log_softmax(keep_valid(as_real(ref_logits), rows), -1);
  // 0 - x, for -x of a certain policy would be -0, and the penalty's quotient -infinity.
  const auto ce = 0 - masked_mean(policy.gather(-1, labels.unsqueeze(-1)).squeeze(-1), mask);
  const auto divergence = options.direction == "ref_policy" ? (ref.exp() * (ref - policy)).sum(-1)
                                                            : (policy.exp() * (policy - ref)).sum(-1);
  const auto kl = masked_mean(divergence, mask);
  auto loss = ce + options.kl_coef * kl;
  if (options.inverse_loss_penalty > 0) loss = loss + options.inverse_loss_penalty / ce;
  return {loss, ce, kl};
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def(
      "superhf_loss(Tensor logits, Tensor ref_logits, Tensor targets, Tensor mask, float kl_coef=0.35, str "
      "direction='ref_policy', float inverse_loss_penalty=0.) -> (Tensor loss, Tensor ce, Tensor kl)",
      [](const Tensor& logits, const Tensor& ref, const Tensor& targets, const Tensor& mask, double kl_coef,
         std::string direction, double penalty) {
        return as_tuple(superhf_loss(logits, ref, targets, mask, {kl_coef, std::move(direction), penalty}));
      },
      "Cross entropy with a full-vocabulary KL to the start model.", {"43"});
}

}  // namespace plaudit
