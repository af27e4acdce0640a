// Behaviour specified by constraints, teams and goals.
//
// Sources: Roy et al., "Direct Behavior Specification via Constrained RL", ICML 2022, arXiv 2112.12228; Roy
// et al., "Promoting Coordination through Policy Regularization", NeurIPS 2020, arXiv 1908.02269; Roy et al.,
// "Goal-conditioned GFlowNets", 2023, arXiv 2306.04620. Errors: empty, shape, nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct MultiplierOptions {
  double reward_logit = 0;
  bool bootstrap = false;  // keep the reward weight at least at the multiplier of the success constraint
  std::optional<int64_t> success_index = std::nullopt;  // needed by bootstrap
};
struct Multipliers {
  Tensor multipliers;    // [K]
  Tensor reward_weight;  // scalar
};
// Softmax over (reward_logit, logits [K]).
Multipliers normalised_multipliers(const Tensor& logits, const MultiplierOptions& options = {});

// logits + lr (costs - thresholds), all [K].
Tensor multiplier_step(const Tensor& logits, const Tensor& costs, const Tensor& thresholds, double lr);

// reward_weight A_R - sum_k multiplier_k A_k: reward_advantages [B,T], cost_advantages [K,B,T], multipliers
// [K].
Tensor lagrangian_advantage(const Tensor& reward_advantages, const Tensor& cost_advantages,
                            const Tensor& multipliers, double reward_weight);

// TeamReg: how well agents predict each other's actions [B,N,D]. "continuous": squared distance; "discrete":
// KL(actual || predicted) of the softmaxes; summed over D, mean over B and N. Scalar.
Tensor team_spirit_loss(const Tensor& predicted, const Tensor& actual,
                        const std::string& kind = "continuous");

// CoachReg: mean over batch and agents of KL(coach || agent) of the softmaxes of coach_logits [B,K] and
// agent_logits [B,N,K]. Scalar.
Tensor coach_kl(const Tensor& coach_logits, const Tensor& agent_logits);

// Mean over B of (log Z + sum log P_F - sum log P_B - log R)^2: forward_logps, backward_logps, mask [B,T],
// log_rewards [B], log_z one number or [B]. Scalar. Malkin et al., 2022, arXiv 2201.13259, eq. 14.
Tensor trajectory_balance_loss(const Tensor& log_z, const Tensor& forward_logps, const Tensor& backward_logps,
                               const Tensor& mask, const Tensor& log_rewards);

}  // namespace plaudit
