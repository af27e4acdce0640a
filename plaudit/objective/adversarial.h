// Imitation without a policy optimisation step: the discriminator is made of policies.
//
// Source: Barde et al., ASAF, NeurIPS 2020, arXiv 2006.13258, eq. 11.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

// Log-probabilities [B,T] of one set of trajectories under the policy that learns and the one that generated;
// B may differ between the expert's and the policy's set.
struct ScoredPaths {
  Tensor logps;
  Tensor generator_logps;  // no gradient
  Tensor mask;
};

// Binary cross-entropy of D = sigma(z), z the summed log-ratio of a window, expert windows against the
// policy's: (sum softplus(-z_expert) + sum softplus(z_policy)) / number of windows. Windows of `window` steps
// from each row's start, the whole row by default; a window without a valid step does not count. Errors: no
// window on a side (empty), shape, nan, window < 1 (value).
Tensor asaf_loss(const ScoredPaths& expert, const ScoredPaths& policy,
                 std::optional<int64_t> window = std::nullopt);

}  // namespace plaudit
