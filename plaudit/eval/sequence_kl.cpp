#include "plaudit/eval/sequence_kl.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/kl_estimator.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {

namespace {

// [B,T], 0 under the mask.
Tensor per_token_kl(const Check& check, const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
                    const std::string& estimator) {
  check_tokens(check, {{"logps", logps}, {"ref_logps", ref_logps}}, mask, ValidRows::some);
  check.choice("estimator", estimator, kl_estimators());
  const auto log_ratio = keep_valid(as_real(logps) - as_real(ref_logps), mask);
  return kl_terms(log_ratio, estimator);  // 0 at 0, hence under the mask
}

}  // namespace

SequenceKl sequence_kl(const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
                       const std::string& estimator) {
  const auto per_token = per_token_kl(Check("eval.sequence_kl"), logps, ref_logps, mask, estimator);
  return {per_token.sum(1).mean(), per_token};
}

TokenKl kl_estimate(const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
                    const std::string& estimator) {
  const auto per_token = per_token_kl(Check("eval.kl_estimate"), logps, ref_logps, mask, estimator);
  return {masked_mean(per_token, mask), per_token.sum(1)};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def(
      "sequence_kl(Tensor logps, Tensor ref_logps, Tensor mask, str estimator='k1') -> (Tensor kl, "
      "Tensor per_token)",
      [](const Tensor& logps, const Tensor& ref_logps, const Tensor& mask, const std::string& estimator) {
        return as_tuple(sequence_kl(logps, ref_logps, mask, estimator));
      },
      "Estimate of the KL to the reference on the policy's own samples.",
      {"48", "12", "15", "42", "45", "52", "53"});
  m.def(
      "kl_estimate(Tensor logps, Tensor ref_logps, Tensor mask, str estimator='k3') -> (Tensor kl, Tensor "
      "per_sequence)",
      [](const Tensor& logps, const Tensor& ref_logps, const Tensor& mask, const std::string& estimator) {
        return as_tuple(kl_estimate(logps, ref_logps, mask, estimator));
      },
      "Estimate of the KL to the reference, per token.", {"13"});
}

}  // namespace plaudit
