// Goals in hindsight: what a trajectory reached later is a goal that it could have had.
//
// `achieved` [n,T+1,G], desired `goals` [n,G]; samples (traj[b], time[b]) with time in [0,T). A future index
// is k = time + 1 + floor(offset_u (T - time)) <= T; the sample is relabelled iff future_u < p_future.
// Andrychowicz et al., 2017, arXiv 1707.01495. UserErrors: empty, shape, nan, and value for an index, a
// uniform number outside [0,1) or a p_future outside [0,1].
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct GoalSamples {
  Tensor achieved;  // [n,T+1,G]
  Tensor goals;     // [n,G]
  Tensor traj;      // [B] integers
  Tensor time;      // [B] integers
  Tensor future_u;  // [B]
  Tensor offset_u;  // [B]
};

struct HindsightGoals {
  Tensor goals;        // [B,G], achieved[traj, k] when relabelled, else the desired goal
  Tensor future_time;  // [B] i64, k
};
HindsightGoals hindsight_goals(const GoalSamples& samples, double p_future = 0.8);

struct GoalTransitions {
  Tensor goals;  // [B,G] as above; a row that is not relabelled needs another transition, into its goal
  Tensor transition_time;  // [B] i64, k - 1: the transition that steps into the goal
};
GoalTransitions goal_transition_batch(const GoalSamples& samples, double p_future = 0.8);

}  // namespace plaudit
