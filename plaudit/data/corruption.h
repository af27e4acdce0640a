// Wrong rows on purpose: how much a learner loses when part of its data lies.
//
// Row i is corrupted iff select_u[i] < rate. Yang et al., "Towards Robust Offline RL under Diverse Data
// Corruption", 2024, arXiv 2310.12955, section 5. All random numbers are arguments. UserErrors: empty, shape,
// nan, value.
#pragma once

#include <functional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct CorruptionOptions {
  double rate = 0.3;   // share of rows, in [0,1]
  double range = 1.0;  // in deviations of the clean data, >= 0
};

struct Corrupted {
  Tensor values;    // as given
  Tensor selected;  // [M] i64, rows that changed
};

// observations, actions, next_observations: x + range U(-1,1) std per coordinate; rewards: replaced by 30
// range U(-1,1). `values` [N] or [N,D], `noise_u` of its shape and `select_u` [N] uniform in [0,1).
Corrupted corrupt_random(const Tensor& values, const Tensor& select_u, const Tensor& noise_u,
                         const std::string& kind, const CorruptionOptions& options = {});

// r <- -range r on selected rows, [N].
Tensor corrupt_reward_adversarial(const Tensor& rewards, const Tensor& select_u,
                                  const CorruptionOptions& options = {});

struct AttackOptions {
  double range = 1.0;   // >= 0
  int64_t steps = 100;  // >= 0
  double lr = 0.01;     // of Adam, times range; > 0
};

// The attack on a critic: minimises its value over the box x +- range std by steps of a fresh Adam, each of
// which moves a shift, in deviations, by lr range sign(gradient). The shift starts at 2 range std (noise_u -
// 1/2), scaled by std although it is in deviations, as in the published code. `values`, `noise_u` [N,D];
// `std` [D] of the whole clean set, which `values` may be a part of; `gradient` is that of the critic's value
// at each row of x [N,D].
using ValueGradient = std::function<Tensor(const Tensor& x)>;
Tensor pgd_attack(const Tensor& values, const Tensor& noise_u, const Tensor& std,
                  const ValueGradient& gradient, const AttackOptions& options = {});

// The same on q = x . weight, `weight` [D].
Tensor pgd_attack_linear(const Tensor& values, const Tensor& noise_u, const Tensor& weight,
                         const AttackOptions& options = {});

}  // namespace plaudit
