// Multi-turn RL for language agents: a critic over utterances, a policy gradient over tokens.
//
// Zhou et al., "ArCHer: Training Language Model Agents via Hierarchical Multi-Turn RL", 2024, arXiv
// 2402.19446. B turns, T tokens of an utterance; twin critics. UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

// min(q1, q2) - min(v1, v2), all [B].
Tensor utterance_advantage(const Tensor& q1, const Tensor& q2, const Tensor& v1, const Tensor& v2);

// Everything [B]. The first four are the heads being trained and the only ones with a gradient.
struct ArcherTurns {
  Tensor q1, q2;  // Q(s,a) of the logged utterance
  Tensor v1, v2;  // V(s)
  Tensor rewards, terminals;
  Tensor next_v1, next_v2;      // target heads at the next observation
  Tensor policy_q1, policy_q2;  // target heads at (s, a'), a' freshly sampled from the policy
};

struct ArcherCriticLoss {
  Tensor loss;                    // scalar, q_loss + v_loss
  Tensor q_targets1, q_targets2;  // [B], r + gamma (1 - terminal) next_v_i
  Tensor q_loss;                  // sum over heads of the mean of (q_i - q_targets_i)^2
  Tensor v_loss;                  // sum over heads of the mean of (v_i - policy_q_i)^2
};
ArcherCriticLoss archer_critic_loss(const ArcherTurns& turns, double gamma = 0.95);

struct ArcherActorLoss {
  Tensor loss;           // scalar, -mean over rows of sum_t (A - b_t) log pi, the weight detached
  Tensor baseline_loss;  // scalar, mean over valid tokens of (A - b_t)^2; 0 without a baseline
};

// `logps`, `mask` [B,T] with a valid token in every row, `advantages` [B], `baseline` [B,T].
ArcherActorLoss archer_actor_loss(const Tensor& logps, const Tensor& mask, const Tensor& advantages,
                                  const std::optional<Tensor>& baseline = std::nullopt);

}  // namespace plaudit
