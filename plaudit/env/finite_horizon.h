// Values of a finite MDP (tabular.h) over a fixed number of steps, and the effective horizon of its
// exploration.
//
// Laidlaw et al., "The Effective Horizon Explains Deep RL Performance in Stochastic Environments", 2024,
// arXiv 2312.08369. Time runs over the first dimension of q [T,S,A]; gamma may be 1.
#pragma once

#include <optional>
#include <string>

#include "plaudit/env/tabular.h"

namespace plaudit {

struct FiniteHorizonValues {
  Tensor q;       // [T,S,A]
  Tensor values;  // [T+1,S], 0 at T
};

// Of the optimal policy, or of `policy` [S,A] or [T,S,A]; horizon T >= 1.
FiniteHorizonValues finite_horizon_q(const Tensor& transition, const Tensor& reward, int64_t horizon,
                                     double gamma = 1, const std::optional<Tensor>& policy = std::nullopt);

// Q^1 of the effective horizon: the q of the exploration policy [S,A], uniform by default.
Tensor exploration_q(const Tensor& transition, const Tensor& reward, int64_t horizon, double gamma = 1,
                     const std::optional<Tensor>& policy = std::nullopt);

// One application of QVI: Q'_t = E[r + gamma max_a' Q_{t+1}(s',a')], Q'_{T-1} = E[r].
Tensor q_value_iteration_step(const Tensor& q, const Tensor& transition, const Tensor& reward,
                              double gamma = 1);

// The return of the worst policy that is greedy for q; actions within tie_tolerance of the best count as
// tied.
Tensor greedy_return(const Tensor& q, const Tensor& transition, const Tensor& reward, const Tensor& initial,
                     double gamma = 1, double tie_tolerance = 1e-9);

struct MinQviOptions {
  double gamma = 1;
  std::optional<Tensor> policy = std::nullopt;  // [S,A], of the exploration; default uniform
  std::string start = "exploration";            // Q^1: of the exploration policy, or "rewards", Q^1 = E[r]
  std::optional<int64_t> max_k = std::nullopt;  // >= 1; default the horizon
  double tie_tolerance = 1e-9;                  // >= 0
  double optimality_tolerance = 1e-6;           // >= 0
};

// The least k for which every greedy action of Q^k at every state that greedy play reaches is optimal; -1 if
// none up to max_k.
int64_t min_qvi_k(const Tensor& transition, const Tensor& reward, const Tensor& initial, int64_t horizon,
                  const MinQviOptions& options = {});

// Over the states that greedy play reaches: the least distance of the best to the best not tied action;
// infinite where all are tied everywhere.
Tensor k_gap(const Tensor& q, const Tensor& transition, const Tensor& initial, double tie_tolerance = 1e-9);

struct StochasticHorizon {
  Tensor per_k;    // [K], k + log_A(1/gap^2), infinite for a gap of 0
  Tensor horizon;  // scalar, the least
};

// `gaps` [K] >= 0 of k = 1..K, num_actions A >= 2.
StochasticHorizon stochastic_effective_horizon(const Tensor& gaps, int64_t num_actions);

}  // namespace plaudit
