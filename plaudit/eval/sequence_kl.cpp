#include "plaudit/eval/sequence_kl.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

SequenceKl sequence_kl(const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
                       const std::string& estimator) {
  const Check check("eval.sequence_kl");
  check.not_empty("logps", logps);
  check.not_empty("mask", mask);
  if (readable(mask) && !mask.ne(0).any().item<bool>())
    check.refuse(ErrorKind::empty, "mask", "has no valid token");
  check.dim("logps", logps, 2);
  check.same_shape("logps", logps, "ref_logps", ref_logps);
  check.same_shape("logps", logps, "mask", mask);
  check.finite_where("logps", logps, mask);
  check.finite_where("ref_logps", ref_logps, mask);
  check.choice("estimator", estimator, {"k1", "k2", "k3"});

  const auto d = keep_valid(as_real(logps) - as_real(ref_logps), mask);
  // Every estimator is 0 at d = 0, hence under the mask.
  const auto per_token = estimator == "k1" ? d : estimator == "k2" ? d.square() / 2 : at::expm1(-d) + d;
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
