// A direction in representation space that good answers end in, and how near other texts point to it.
//
// Nath et al., 2024, arXiv 2407.13887, section 3. `hidden` [B,T,D], `mask` [B,T] valid where nonzero, `goal`
// [D]; cosines use max(norm, 1e-8), so a zero vector has similarity 0. UserErrors: empty (also a row without
// a valid token where one is needed), shape, nan.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// The mean over N preferred responses of the hidden state at the last valid token, padding on either side;
// [D].
Tensor goal_state(const Tensor& hidden, const Tensor& mask);

// Cosine of every token's state with the goal, [B,T], 0 under the mask: the value of each prefix.
Tensor goal_similarity(const Tensor& hidden, const Tensor& goal, const Tensor& mask);

struct GoalBeamScore {
  Tensor score;       // [B], the score plus the similarity
  Tensor similarity;  // [B], cosine of the masked mean of the states with the goal
};

// Beam scores `score` [B] (log-probabilities) steered towards the goal.
GoalBeamScore goal_beam_score(const Tensor& score, const Tensor& hidden, const Tensor& mask,
                              const Tensor& goal);

}  // namespace plaudit
