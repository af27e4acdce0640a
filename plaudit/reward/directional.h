// Several objectives in one reward model, weighed by a direction at run time.
//
// Wang et al., "Arithmetic Control of LLMs: Directional Preference Alignment with Multi-Objective Rewards",
// 2024, arXiv 2402.18571. UserErrors: empty, shape, nan, value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct MultiObjectiveMse {
  Tensor loss;           // scalar, squared errors over the number of rated entries
  Tensor per_objective;  // [K], the same per column; 0 for a column without ratings
};

// `predictions`, `targets` [B,K]; `target_mask` [B,K] nonzero where an objective was rated. What lies under
// the mask is never read. No rating at all is an error of kind empty.
MultiObjectiveMse multi_objective_mse(const Tensor& predictions, const Tensor& targets,
                                      const Tensor& target_mask);

// scale x + offset, scale > 0: 0..4 becomes 10..90 with the defaults.
Tensor rescale_attributes(const Tensor& values, double scale = 20, double offset = 10);

struct AngleDirection {
  Tensor direction;       // [...,2], (cos, sin)
  Tensor prompt_weights;  // [...,2] i64, 100 times the direction, rounded half to even
};

// Unit vectors of angles in degrees, of any shape.
AngleDirection direction_from_angle(const Tensor& degrees);

// The products direction . rewards: `rewards` [B,K] gives [B], [B,N,K] gives [B,N]; `direction` [K] for all
// rows or [B,K]. A direction whose norm is off 1 by more than `tolerance` is an error of kind value.
Tensor directional_reward(const Tensor& rewards, const Tensor& direction, double tolerance = 1e-3);

struct DirectionalBest {
  Tensor index;  // [B] i64, ties to the lowest
  Tensor score;  // [B]
};

// The best of N answers in each row's own direction: `rewards` [B,N,K], `directions` [B,K].
DirectionalBest directional_best_of_n(const Tensor& rewards, const Tensor& directions,
                                      double tolerance = 1e-3);

}  // namespace plaudit
