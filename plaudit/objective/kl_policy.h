// The policy that maximises reward under a KL penalty, in closed form.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct KlOptimalPolicy {
  Tensor logps;          // [X,A], normalised even where the reference is not
  Tensor log_partition;  // [X], logsumexp(ref_logps + rewards/beta)
};

// argmax_pi E_pi[r] - beta KL(pi || pi_ref) = pi_ref exp(r/beta) / Z for X contexts and A answers, beta > 0.
// Rafailov et al., 2023, arXiv 2305.18290, eq. 4.
KlOptimalPolicy kl_optimal_policy(const Tensor& ref_logps, const Tensor& rewards, double beta = 0.1);

struct TabularKlPolicy {
  Tensor policy;           // [S,A], 0 where the reference is 0
  Tensor value;            // [S], beta log sum_a reference exp(reward/beta)
  Tensor kl;               // [S], KL(policy || reference), nats
  Tensor expected_reward;  // [S], value + beta kl
};

// The same optimum in probabilities: `reference` [S,A] with rows that sum to 1 within 1e-6 (kind value),
// zeros allowed.
TabularKlPolicy tabular_kl_policy(const Tensor& reward, const Tensor& reference, double beta = 0.1);

}  // namespace plaudit
