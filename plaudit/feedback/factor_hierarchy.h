// Preferences from a ranking of reward factors: the most important factor that differs decides.
//
// Bukharin et al., "Deep Reinforcement Learning from Hierarchical Preference Design", 2023, arXiv 2309.02632.
// A factor is a number that the user can measure (energy, speed, tests passed). Margins and signs are indexed
// by factor, not by rank. UserErrors: empty, shape, nan, and value for an order that repeats or misses an
// index, a sign other than +-1, a negative margin or multiplier.
#pragma once

#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

// multiplier_k times the sample standard deviation (N-1) of factor k, [K]; `factors` [N,K] with N >= 2.
Tensor hierarchy_margins(const Tensor& factors, const Tensor& multipliers);

// Which factors count, most important first, and which way each is good.
struct FactorRanking {
  std::vector<int64_t> order;  // distinct factor indices, [L] with 1 <= L <= K
  Tensor signs;                // [K], +1 bigger is better, -1 smaller is better
};

struct HierarchicalLabel {
  Tensor label;  // [B] i64: 1 a preferred, 0 b preferred, -1 undecided
  Tensor level;  // [B] i64, place in the order that decided; -1 undecided
};

// Walks the order: with d = sign_k (f_k(a) - f_k(b)), d > margin_k prefers a, d < -margin_k prefers b, else
// the next factor is asked. `factors_a`, `factors_b` [B,K], `margins` [K] >= 0.
HierarchicalLabel hierarchical_label(const Tensor& factors_a, const Tensor& factors_b, const Tensor& margins,
                                     const FactorRanking& ranking);

// The hand-made reward that the ranking replaces: sum over ranks n = 0, 1, ... of beta^(n+1) sign_k
// (f_k - mean_k)/(std_k + 1e-3), population statistics over `factors` [N,K]; [N].
Tensor decayed_linear_reward(const Tensor& factors, const FactorRanking& ranking, double beta);

}  // namespace plaudit
