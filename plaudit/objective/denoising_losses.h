// Finetuning a denoiser on rewards: PRDP's regression on reward differences and DDPO.
//
// Log-probabilities are [B,T], one per denoising step. Errors: empty, shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct PrdpOptions {
  double beta = 3e-5;                   // KL weight, > 0; belongs to the reductions over elements and time
  double clip_range = 1e-4;             // of the log-ratio per step, around the old one, >= 0
  std::string time_reduction = "mean";  // "mean" (the code) or "sum" (the text)
};
struct PrdpResult {
  Tensor loss;   // scalar; 0 with zero gradient when all rewards are equal
  Tensor pairs;  // scalar i64, ordered pairs with rewards r_i > r_j
};
// Of one prompt's samples, B >= 2: with the log-ratio to the reference summed over time, its clipped twin,
// and the target (r_i - r_j)/beta, the mean over ordered pairs of the larger of the two squared errors of the
// difference. The gradient flows to logps alone. Deng et al., PRDP, 2024, arXiv 2402.08714, eq. 11-13.
PrdpResult prdp_loss(const Tensor& logps, const Tensor& old_logps, const Tensor& ref_logps,
                     const Tensor& rewards, const PrdpOptions& options = {});

struct DdpoOptions {
  double clip_range = 1e-4;                  // of the ratio, > 0
  std::optional<double> advantage_clip = 5;  // > 0; none: advantages as they are
};
struct DdpoResult {
  Tensor loss;           // scalar
  Tensor approx_kl;      // scalar, mean of d^2/2
  Tensor clip_fraction;  // scalar, share of steps with |ratio - 1| > clip_range
};
// mean of max(-A rho, -A clip(rho, 1-c, 1+c)) over samples and steps. Black et al., 2023, arXiv 2305.13301.
DdpoResult ddpo_loss(const Tensor& logps, const Tensor& old_logps, const Tensor& advantages,
                     const DdpoOptions& options = {});

}  // namespace plaudit
