// Rewards with a KL penalty, and values fitted to returns.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// r - beta sum of (log pi - log ref) over the valid tokens: rewards [B], logps and ref_logps [B,T], beta >=
// 0. Dong et al., RAFT, 2023, arXiv 2304.06767, section 3.2. A row without tokens keeps its reward.
Tensor kl_regularized_reward(const Tensor& rewards, const Tensor& logps, const Tensor& ref_logps,
                             const Tensor& mask, double beta);

// Half the mean of (V - G)^2 over the valid positions, no gradient to the returns: values, returns [B,T].
// Scalar. Han et al., VAS, 2024, arXiv 2405.06639.
Tensor value_regression_loss(const Tensor& values, const Tensor& returns, const Tensor& mask);

}  // namespace plaudit
