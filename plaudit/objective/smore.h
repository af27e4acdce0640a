// Goal-conditioned policies from scores: how much an action matters for reaching a goal, without rewards.
//
// Sikchi et al., "SMORE: Score Models for Offline Goal-Conditioned RL", 2024, arXiv 2311.02013. K critics on
// two batches: transitions that step into their goal (`q_goal` [K,G]) and the mixture of all data (`q_mix`
// [K,M], with the values of its next states [M]). UserErrors: empty, shape, nan, value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct ScoreLoss {
  Tensor loss;     // scalar, summed over critics
  Tensor targets;  // [M], of the mixture batch, detached
};

// Sum over critics of -mean q_goal + reg mean q_mix + 1/2 mean (q_mix - gamma V')^2.
ScoreLoss smore_score_loss(const Tensor& q_goal, const Tensor& q_mix, const Tensor& next_values,
                           double gamma = 0.99, double reg = 1e-4);

struct StableScoreOptions {
  double gamma = 0.99;      // in [0,1)
  double step_reward = -2;  // of a step that does not reach the goal
  double reg = 1e-4;        // >= 0
};

// Sum over critics of mean (q_goal + step_reward/(1-gamma))^2 + (1-gamma) reg mean q_mix^2 + 1/2 mean (q_mix
// - (step_reward + gamma V'))^2: bounded scores.
ScoreLoss smore_stable_loss(const Tensor& q_goal, const Tensor& q_mix, const Tensor& next_values,
                            const StableScoreOptions& options = {});

// Expectile regression of `values` [B] on the least critic of `q` [K,B], detached; tau in (0,1).
Tensor smore_value_loss(const Tensor& q, const Tensor& values, double tau = 0.8);

}  // namespace plaudit
