// Denoising as a policy: noise schedules, the sampler's Gaussian steps, their log-densities.
//
// Source: Ho et al., DDPM, 2020, arXiv 2006.11239; Song et al., DDIM, 2021, arXiv 2010.02502 (eq. 12, 16).
// Samples are [B,...]; abar is the cumulative product of 1 - beta, one number per row. Errors: empty, shape,
// nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"
#include "plaudit/objective/ddpm.h"

namespace plaudit {

// "linear" from beta_start to beta_end, "scaled_linear" (linear in the root, Stable Diffusion), or
// "squaredcos_cap_v2" (beta capped at 0.999; the bounds are not used).
NoiseSchedule make_schedule(const std::string& kind, int64_t steps, double beta_start = 1e-4,
                            double beta_end = 0.02);

struct DdimOptions {
  double eta = 1;                           // 1 is the DDPM posterior, 0 has no density
  std::string prediction_type = "epsilon";  // what the model predicts: epsilon, sample (x0), v_prediction
  std::optional<double> clip_x0 = std::nullopt;  // clip the predicted x0 to +-this and derive epsilon again
};
struct DdimStep {
  Tensor mean;     // [B,...] of the previous sample
  Tensor std;      // [B]
  Tensor pred_x0;  // [B,...]
};
// One step from abar = `alpha_bar` [B] to the earlier, larger `alpha_bar_prev` [B]; 0 < alpha_bar <=
// alpha_bar_prev
// <= 1 and alpha_bar < 1.
DdimStep ddim_step(const Tensor& sample, const Tensor& model_output, const Tensor& alpha_bar,
                   const Tensor& alpha_bar_prev, const DdimOptions& options = {});

struct DdpmPosterior {
  Tensor mean;      // [B,...]
  Tensor variance;  // [B]
};
// q(x_{t-1} | x_t, x_0), arXiv 2006.11239 eq. 6-7.
DdpmPosterior ddpm_posterior(const Tensor& sample, const Tensor& pred_x0, const Tensor& alpha_bar,
                             const Tensor& alpha_bar_prev);

// log N(x; mean, std) of each row [B], reduced over its elements by "mean" (scale-free) or "sum" (the
// density).
Tensor gaussian_logp(const Tensor& x, const Tensor& mean, const Tensor& std,
                     const std::string& reduction = "mean");

// Classifier-free guidance: uncond + scale (cond - uncond).
Tensor guidance(const Tensor& uncond, const Tensor& cond, double scale);

}  // namespace plaudit
