#include "plaudit/eval/sequence_kl.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/kl_estimator.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {

SequenceKl sequence_kl(const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
                       const std::string& estimator) {
  const Check check("eval.sequence_kl");
  check_tokens(check, {{"logps", logps}, {"ref_logps", ref_logps}}, mask, ValidRows::some);
  check.choice("estimator", estimator, kl_estimators());
  const auto log_ratio = keep_valid(as_real(logps) - as_real(ref_logps), mask);
  const auto per_token = kl_terms(log_ratio, estimator);  // 0 at 0, hence under the mask
  return {per_token.sum(1).mean(), per_token};
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
}

}  // namespace plaudit
