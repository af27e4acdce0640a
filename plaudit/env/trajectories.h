// Trajectories of a finite MDP (tabular.h): sampled, listed with their probabilities, or packed into one
// number.
#pragma once

#include "plaudit/env/tabular.h"

namespace plaudit {

struct SampledTrajectories {
  Tensor states;   // [B,T+1] i64
  Tensor actions;  // [B,T] i64
};

// Every choice takes the first index whose cumulative probability exceeds u times the total; column 0 of
// `uniforms` [B,2T+1] in [0,1) picks the first state, then actions and states alternate.
SampledTrajectories sample_trajectories(const Tensor& transition, const Tensor& policy, const Tensor& initial,
                                        const Tensor& uniforms);

struct TrajectoryDistribution {
  Tensor trajectories;   // [N,2T+1] i64: s0, a0, s1, ..., in lexicographic order
  Tensor probabilities;  // [N], positive
};

// All trajectories of `horizon` T >= 1 steps with positive probability; more than five million are refused.
TrajectoryDistribution trajectory_distribution(const Tensor& transition, const Tensor& policy,
                                               const Tensor& initial, int64_t horizon);

struct ReturnDistribution {
  Tensor returns;        // [N], sum gamma^t r_t, one per trajectory in the order above
  Tensor probabilities;  // [N]
};
ReturnDistribution return_distribution(const Tensor& transition, const Tensor& reward, const Tensor& policy,
                                       const Tensor& initial, int64_t horizon, double gamma);

// sum gamma^t k_t for transitions k [T] in [0,K): with gamma < 1/K (else kind value) the number says all of
// them.
double encode_return(const Tensor& transitions, int64_t num_transitions, double gamma);

// The first `horizon` transitions [T] i64 behind encode_return's number; kind value where it is not one.
Tensor decode_return(double value, int64_t num_transitions, double gamma, int64_t horizon);

}  // namespace plaudit
