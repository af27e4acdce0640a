// Ensembles of critics: their loss, what keeps them diverse, and the deterministic relatives (TD3).
//
// An et al., "EDAC", 2021, arXiv 2110.01548; Fujimoto et al., "TD3", 2018, arXiv 1802.09477. N critics, B
// transitions, A action dimensions. UserErrors: empty, shape, nan, and value for an option out of range.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Mean over the batch of the sum over critics of (Q_j - target)^2; `q` [N,B], `targets` [B], not
// differentiated. The sum leaves the step size of a critic alone however many there are.
Tensor ensemble_q_loss(const Tensor& q, const Tensor& targets);

// With g_j the gradient of Q_j by the action, divided by its norm + 1e-10: mean over the batch of
// sum_{i != j} g_i . g_j / (N-1). `action_grads` [N,B,A], N >= 2 (kind value).
Tensor edac_diversity(const Tensor& action_grads);

// mean_j Q_j - min_j Q_j [B]: large where the critics were never trained.
Tensor ensemble_penalty(const Tensor& q);

struct SmoothedActionOptions {
  double sigma = 0.2;     // deviation of the noise, >= 0
  double clip = 0.5;      // of the scaled noise, >= 0
  double max_action = 1;  // > 0
};

// clip(action + clip(sigma noise, +-clip), +-max_action) [B,A].
Tensor td3_smoothed_action(const Tensor& action, const Tensor& noise,
                           const SmoothedActionOptions& options = {});

// r + gamma (1 - terminal) min_j Q'_j [B], detached.
Tensor td3_target(const Tensor& rewards, const Tensor& terminals, const Tensor& next_q, double gamma = 0.99);

// (1 - tau) target + tau source, of any one shape; tau in [0,1].
Tensor polyak_update(const Tensor& target, const Tensor& source, double tau = 0.005);

}  // namespace plaudit
