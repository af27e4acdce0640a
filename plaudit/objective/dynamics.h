// An ensemble of Gaussian models of the dynamics: loss, choice of members, and a step of a rollout.
//
// Chua et al., "PETS", 2018, arXiv 1805.12114; Janner et al., "MBPO", 2019, arXiv 1906.08253. M members, B
// rows, D outputs (changes of the state, then the reward). UserErrors: empty, shape, nan, and value for an
// index or an option out of range.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// lv = max - softplus(max - lv), then min + softplus(lv - min): log-variances [..., D] inside soft bounds
// [D].
Tensor soft_clamp_logvar(const Tensor& logvar, const Tensor& min_logvar, const Tensor& max_logvar);

struct DynamicsLoss {
  Tensor loss;        // scalar
  Tensor per_member;  // [M]
};

// per_member: mean over rows and outputs of logvar + (target - mean)^2 exp(-logvar). loss: their sum +
// bound_coef (sum max_logvar - sum min_logvar). `mean`, `logvar`, `targets` [M,B,D]; `logvar` is what the
// head gives, inside its bounds already (soft_clamp_logvar): here the bounds [D] are only drawn together.
DynamicsLoss dynamics_loss(const Tensor& mean, const Tensor& logvar, const Tensor& targets,
                           const Tensor& min_logvar, const Tensor& max_logvar, double bound_coef = 0.01);

// The members of the lowest hold-out loss `val_losses` [M], ascending, ties to the lower index; 1 <=
// num_elites <= M.
Tensor select_elites(const Tensor& val_losses, int64_t num_elites = 5);

struct DynamicsStep {
  Tensor next_states;  // [B,D-1]
  Tensor rewards;      // [B]
};

// Row b takes the prediction of member[b] (i64 in [0,M)): mean + exp(logvar/2) noise, the change of the state
// and, in the last column, the reward. `mean`, `logvar` [M,B,D], `states` [B,D-1], `noise` [B,D].
DynamicsStep dynamics_step(const Tensor& mean, const Tensor& logvar, const Tensor& states,
                           const Tensor& noise, const Tensor& member);

// clip((x - mean)/std, +-clip) for x [B,D]; `std` > 0.
Tensor standardize_clip(const Tensor& x, const Tensor& mean, const Tensor& std, double clip = 10);

}  // namespace plaudit
