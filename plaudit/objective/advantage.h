// Advantages over time steps: tokens of an answer, steps of an episode.
//
// All take [B,T] tensors and a mask that is a left-aligned run of valid steps; what lies under the mask is
// never read and comes back as 0. UserErrors: no valid step (empty), unequal shapes (shape), NaN or infinity
// at a valid step (nan), gamma or lam outside [0,1] or a mask with holes (value).
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct GaeOptions {
  double gamma = 1;   // discount, in [0, 1]
  double lam = 0.95;  // in [0, 1]: 0 is one-step TD, 1 is Monte Carlo
};

struct GaeResult {
  Tensor advantages;  // [B,T]
  Tensor returns;     // [B,T], advantages + values
};

// Generalised advantage estimation, the value after the last valid step taken as 0:
//   delta_t = r_t + gamma V_{t+1} - V_t ,  A_t = delta_t + gamma lam A_{t+1} .
// Schulman et al., 2016, arXiv 1506.02438, eq. 16.
GaeResult gae(const Tensor& rewards, const Tensor& values, const Tensor& mask,
              const GaeOptions& options = {});

// TD(lambda) targets of a value function: gae(...) advantages + values. [B,T], 0 under the mask; the value
// behind the last valid step is 0.
Tensor td_lambda_returns(const Tensor& rewards, const Tensor& values, const Tensor& mask,
                         const GaeOptions& options = {});

struct WhitenOptions {
  bool shift_mean = true;  // false adds the mean back
  double eps = 1e-8;       // added to the variance, > 0
};

// (x - mean)/sqrt(var + eps) over the valid elements of the whole batch, unbiased variance; 0 elsewhere. The
// mask may have holes; fewer than two valid elements are an error of kind empty.
Tensor masked_whiten(const Tensor& x, const Tensor& mask, const WhitenOptions& options = {});

}  // namespace plaudit
