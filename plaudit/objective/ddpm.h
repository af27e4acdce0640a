// Denoising diffusion in discrete steps: noise schedules, noising, and one step back.
//
// Ho et al., "DDPM", 2020, arXiv 2006.11239; squared-cosine schedule of Nichol and Dhariwal, 2021, arXiv
// 2102.09672. alphas_cumprod [n] is abar_0..abar_{n-1}, abar_{-1} = 1. UserErrors: empty, shape, nan, value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct NoiseSchedule {
  Tensor betas;           // [n]
  Tensor alphas_cumprod;  // [n]
};

// beta_i = min(1 - abar((i+1)/n)/abar(i/n), max_beta), abar(u) = cos^2((u + 0.008)/1.008 pi/2); steps >= 1.
NoiseSchedule squaredcos_betas(int64_t steps, double max_beta = 0.999);

// sqrt(abar_t) x0 + sqrt(1 - abar_t) noise; `x0`, `noise` [B,D], `t` [B] integers in [0,n).
Tensor add_noise(const Tensor& x0, const Tensor& noise, const Tensor& t, const Tensor& alphas_cumprod);

struct DenoisingStep {
  Tensor x_prev;  // [B,D]
  Tensor x0;      // [B,D], the predicted clean value
};

// One step from x_t [B,D] with the predicted noise `eps`: x0 = (x_t - sqrt(1-abar) eps)/sqrt(abar), in [-1,1]
// with `clip`; x_prev from the posterior given x0, of variance (1-abar_{t-1})/(1-abar_t) beta_t, without
// noise at t = 0.
DenoisingStep ddpm_step(const Tensor& x_t, const Tensor& eps, const Tensor& noise,
                        const Tensor& alphas_cumprod, int64_t t, bool clip = true);

}  // namespace plaudit
