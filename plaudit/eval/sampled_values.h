// Values of the policy that acted in sampled transitions, for any number of rewards at once.
//
// Least-squares temporal differences (Bradtke and Barto 1996) on fixed features of the state: one linear
// solve, linear in the reward, so that a scaled reward has scaled values. For the value canonicalisation of
// sampled rewards (reward/canonical.h) where no table gives V. N transitions of S numbers, K successors of
// each, R rewards. UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"
#include "plaudit/core/rng.h"

namespace plaudit {

struct SampledValueOptions {
  int64_t features = 256;  // random ones, beside a constant, the state and its squares; >= 0
  double ridge = 1e-6;     // >= 0
};

struct SampledValues {
  Tensor values;       // [N,R], f64
  Tensor next_values;  // [N,K,R], 0 behind a terminal transition
  // [R], how far the solution is from the equations, as a share of them: what the ridge took.
  Tensor residual;
};

// `states` [N,S], `next_states` [N,K,S], `rewards` [N,R] (means over the K draws), `terminal` [N].
SampledValues sampled_values(const Tensor& states, const Tensor& next_states, const Tensor& rewards,
                             const Tensor& terminal, double gamma, const SampledValueOptions& options,
                             Rng& rng);

}  // namespace plaudit
