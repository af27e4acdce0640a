// KL divergence of a policy from its reference, estimated on the policy's own samples.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct SequenceKl {
  Tensor kl;         // scalar: summed over T, mean over B, in nats per answer
  Tensor per_token;  // [B,T], 0 under the mask
};

// `estimator` k1, k2 or k3: see plaudit/objective/kl_estimator.h. `logps`, `ref_logps`, `mask` [B,T]; values
// under mask 0 are ignored. UserErrors: no valid token (empty), shape, NaN or infinity (nan), unknown
// estimator (value).
SequenceKl sequence_kl(const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
                       const std::string& estimator = "k1");

struct TokenKl {
  Tensor kl;            // scalar: mean over the valid tokens, in nats per token
  Tensor per_sequence;  // [B] sums
};

// The same estimate per token instead of per answer; same arguments and errors.
TokenKl kl_estimate(const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
                    const std::string& estimator = "k3");

}  // namespace plaudit
