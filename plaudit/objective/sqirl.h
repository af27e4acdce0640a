// Fitted Q-iteration from random play: Monte Carlo first, then a few backups.
//
// Laidlaw et al., "The Effective Horizon Explains Deep RL Performance in Stochastic Environments", 2024,
// arXiv 2312.08369. K heads, the first of which regresses on returns. UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

struct SqirlTargetOptions {
  std::optional<Tensor> next_q = std::nullopt;  // [B,K,A], of the current network; none gives one column
  double gamma = 0.99;                          // in [0,1]
  double reward_scale = 1;                      // > 0
};

// Targets [B,K], detached: column 0 is scale * return, column j scale * reward + gamma (1 - done) max_a
// next_q[:, j-1].
Tensor sqirl_targets(const Tensor& rewards, const Tensor& dones, const Tensor& returns,
                     const SqirlTargetOptions& options = {});

// Mean over batch and heads of the squared error of the taken actions' q [B,K,A], or of smooth L1 (threshold
// 1) with `huber`; `actions` [B] i64, `targets` [B,K].
Tensor sqirl_loss(const Tensor& q, const Tensor& actions, const Tensor& targets, bool huber = false);

struct SqirlTable {
  int64_t timestep = 0;     // 0-based step i of this round, in [0,T)
  int64_t k = 1;            // >= 1, cut to the T - i steps that are left
  int64_t num_states = 0;   // S
  int64_t num_actions = 0;  // A
  double gamma = 1;
};

// Q^k of a round with tables: Q^1 the mean return to go at step i + k - 1, Q^j the mean of r + gamma max
// Q^{j-1} at step i + k - j; a cell without data is -1e9, so that it never wins a maximum. `states` [B,T+1],
// `actions`, `rewards` [B,T]; [S,A].
Tensor sqirl_q_tabular(const Tensor& states, const Tensor& actions, const Tensor& rewards,
                       const SqirlTable& options);

}  // namespace plaudit
