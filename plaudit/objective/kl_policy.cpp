#include "plaudit/objective/kl_policy.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

KlOptimalPolicy kl_optimal_policy(const Tensor& ref_logps, const Tensor& rewards, double beta) {
  const Check check("preference.kl_optimal_policy");
  check.alike({{"ref_logps", ref_logps}, {"rewards", rewards}}, 2);
  check.that(beta > 0, "beta", "> 0", beta);
  const auto tilted = as_real(ref_logps) + as_real(rewards) / beta;
  return {at::log_softmax(tilted, -1), tilted.logsumexp(-1)};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "kl_optimal_policy(Tensor ref_logps, Tensor rewards, float beta=0.1) -> (Tensor logps, Tensor "
      "log_partition)",
      [](const Tensor& ref_logps, const Tensor& rewards, double beta) {
        return as_tuple(kl_optimal_policy(ref_logps, rewards, beta));
      },
      "Closed-form optimum of reward minus beta times the KL to the reference.", {"48", "37", "42", "56"});
}

}  // namespace plaudit
