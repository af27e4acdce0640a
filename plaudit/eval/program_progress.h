// How generated reward programs did in training: traces of their components and their task scores.
//
// Yu et al., "ICPL", 2024, arXiv 2410.17233; the trace is that of Ma et al., "Eureka", 2023, arXiv
// 2310.12931. UserErrors: empty, shape, nan, value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct ComponentTrace {
  Tensor samples;  // every max(floor(T/points), 1)-th value: at most 2 points - 1 of them
  Tensor max;      // scalars over all values
  Tensor mean;
  Tensor min;
};

// The trace of one reward component, `values` [T] over training, as a prompt shows it; points >= 1.
ComponentTrace component_trace(const Tensor& values, int64_t points = 10);

struct RewardTaskScore {
  Tensor rts;    // [K], the best checkpoint of each candidate
  Tensor best;   // scalar i64, the candidate of the largest, ties to the first
  Tensor score;  // scalar, its score
};

// `metric` [K,P]: the mean task metric of K candidates at P checkpoints.
RewardTaskScore reward_task_score(const Tensor& metric);

}  // namespace plaudit
