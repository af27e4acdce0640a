// Logged transitions of control tasks: from rows to transitions, and their normalisation.
//
// N rows, S observation and A action dimensions. UserErrors: empty, shape, nan, value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct TransitionTensors {
  Tensor observations;       // [M,S]
  Tensor actions;            // [M,A]
  Tensor rewards;            // [M]
  Tensor next_observations;  // [M,S]
  Tensor terminals;          // [M]
};

// Rows i = 0..N-2 become (o_i, a_i, r_i, o_{i+1}, terminal_i), without the rows that a time limit ends unless
// `terminate_on_end`. A terminal row takes the first observation of the next episode as its next one, which
// every target masks. The rule of D4RL (Fu et al., 2020, arXiv 2004.07219). `terminals`, `timeouts` [N].
TransitionTensors qlearning_dataset(const Tensor& observations, const Tensor& actions, const Tensor& rewards,
                                    const Tensor& terminals, const Tensor& timeouts,
                                    bool terminate_on_end = false);

struct NormalizedObservations {
  Tensor mean;               // [S]
  Tensor std;                // [S], population deviation + eps
  Tensor observations;       // [N,S]
  Tensor next_observations;  // [N,S]
};

// (x - mean)/std, with the statistics of observations and next observations together; eps > 0.
NormalizedObservations normalize_observations(const Tensor& observations, const Tensor& next_observations,
                                              double eps = 1e-3);

}  // namespace plaudit
