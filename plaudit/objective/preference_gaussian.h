// Preferences between segments when every step has a Gaussian reward, r_t ~ N(mean_t, std_t^2).
//
// Liu et al., "Zero-shot Cross-task Preference Alignment and Robust Reward Learning", 2024, arXiv 2306.03615,
// section 4.2 (reconstructed from the abstract and reviews). Tensors are [B,T], noise [K,B,T] standard normal
// draws, `mask` [B,T] valid where nonzero; values under the mask are never read. UserErrors: empty, shape,
// nan, value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// mean + exp(log_std) noise, [K,B,T].
Tensor gaussian_sample(const Tensor& mean, const Tensor& log_std, const Tensor& noise);

// The rewards of one side of the pairs.
struct GaussianSteps {
  Tensor mean;     // [B,T]
  Tensor log_std;  // [B,T]
  Tensor noise;    // [K,B,T]
};

// Cross entropy of the soft labels P(a preferred) in [0,1], `label` [B], with the logit sum_t r_t(a) - sum_t
// r_t(b) of every draw; mean over K and B.
Tensor gaussian_preference_loss(const GaussianSteps& a, const GaussianSteps& b, const Tensor& label,
                                const Tensor& mask);

struct UncertaintyFloor {
  Tensor loss;     // scalar, mean over the valid steps of max(0, eta - entropy)
  Tensor entropy;  // [B,T], log std + log(2 pi e)/2 in nats, at every step
};

// Keeps the spread of the rewards from collapsing: a hinge on the Gaussian entropy at the level `eta`.
UncertaintyFloor uncertainty_floor_loss(const Tensor& log_std, const Tensor& mask, double eta = 1);

}  // namespace plaudit
