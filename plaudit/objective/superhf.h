// Cross entropy with a full-vocabulary KL to the start model: the loss of SuperHF.
//
// Mukobi et al., "SuperHF: Supervised Iterative Learning from Human Feedback", 2023, arXiv 2310.16763.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct SuperhfOptions {
  double kl_coef = 0.35;                 // >= 0
  std::string direction = "ref_policy";  // KL(ref || policy), or "policy_ref": KL(policy || ref)
  double inverse_loss_penalty = 0;       // adds penalty/ce against very low entropy, >= 0; 0 for none
};

struct SuperhfResult {
  Tensor loss;  // scalar, ce + penalty/ce + kl_coef kl
  Tensor ce;    // scalar, mean of -log p(target) over the valid tokens
  Tensor kl;    // scalar, mean over the same tokens, nats
};

// `logits`, `ref_logits` [B,T,V] aligned with `targets` [B,T] i64 (position t predicts targets t), `mask`
// [B,T]; what lies under the mask is never read. Computed in f32 at least. UserErrors: no valid token
// (empty), shape, nan, a target outside [0,V) or an option out of range (value).
SuperhfResult superhf_loss(const Tensor& logits, const Tensor& ref_logits, const Tensor& targets,
                           const Tensor& mask, const SuperhfOptions& options = {});

}  // namespace plaudit
