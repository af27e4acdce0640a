#include "plaudit/objective/kl_policy.h"

#include <ATen/ATen.h>

#include <limits>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

struct Tilted {
  Tensor logps, log_partition;  // [B,N], [B]
};
// log pi = log pi_ref + r/beta - log Z; -inf where the reference is 0.
Tilted tilted(const Tensor& ref_logps, const Tensor& rewards, double beta) {
  const auto sum = ref_logps + rewards / beta;
  return {at::log_softmax(sum, -1), sum.logsumexp(-1)};
}

}  // namespace

KlOptimalPolicy kl_optimal_policy(const Tensor& ref_logps, const Tensor& rewards, double beta) {
  const Check check("preference.kl_optimal_policy");
  check.alike({{"ref_logps", ref_logps}, {"rewards", rewards}}, 2);
  check.that(beta > 0, "beta", "> 0", beta);
  const auto [logps, log_partition] = tilted(as_real(ref_logps), as_real(rewards), beta);
  return {logps, log_partition};
}

TabularKlPolicy tabular_kl_policy(const Tensor& reward, const Tensor& reference, double beta) {
  const Check check("tabular.kl_optimal_policy");
  check.alike({{"reward", reward}, {"reference", reference}}, 2);
  check.that(beta > 0, "beta", "> 0", beta);
  const auto ref = as_real(reference);
  if (readable(ref)) {
    check.range("reference", ref, 0, std::numeric_limits<double>::infinity());
    const auto error = (ref.sum(1) - 1).abs().max().item<double>();
    check.that(error <= 1e-6, "reference", "rows that sum to 1",
               fmt::format("a row that is off by {}", error));
  }
  const auto r = as_real(reward);
  const auto [logps, log_z] = tilted(ref.log(), r, beta);
  const auto policy = logps.exp();
  // log(policy/reference) = r/beta - log Z wherever either is positive.
  const auto expected = (policy * r).sum(1);
  return {policy, beta * log_z, expected / beta - log_z, expected};
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

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def(
      "kl_optimal_policy(Tensor reward, Tensor reference, float beta=0.1) -> (Tensor policy, Tensor "
      "value, Tensor kl, Tensor expected_reward)",
      [](const Tensor& reward, const Tensor& reference, double beta) {
        return as_tuple(tabular_kl_policy(reward, reference, beta));
      },
      "Closed-form optimum of reward minus beta times the KL to the reference, in probabilities.",
      {"02", "25", "38"});
}

}  // namespace plaudit
