// Rewards of several members or objectives: ensembles on pairs, focus regions. Errors: empty, shape, nan,
// value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct EnsemblePreference {
  Tensor loss;        // scalar, sum over members
  Tensor per_member;  // [E] mean cross-entropy
  Tensor accuracy;    // [E]; a tie counts as the first
};
// Cross-entropy of (r_a, r_b) with `label` [P] in [0,1] (1: a is better), rewards [E,P]. Venkataraman et al.,
// "Real-World Offline RL from VLM Feedback", 2024, arXiv 2411.05273.
EnsemblePreference ensemble_preference_loss(const Tensor& rewards_a, const Tensor& rewards_b,
                                            const Tensor& label);

struct Relabelled {
  Tensor rewards;  // [N] mean over members
  Tensor std;      // [N] population
};
Relabelled ensemble_relabel(const Tensor& predictions);

struct Focus {
  Tensor coefficient;  // [B]
  Tensor in_focus;     // [B] i64
};
// cos(r, d)^(log limit / log cosine) where the cosine of rewards [B,K] with focus [B,K] reaches `cosine` in
// (0,1), else 0; `limit_coefficient` in (0,1] is the value at the rim. A zero vector has cosine 0. Roy et
// al., 2023, arXiv 2306.04620.
Focus focus_coefficient(const Tensor& rewards, const Tensor& focus, double cosine,
                        double limit_coefficient = 1);

}  // namespace plaudit
