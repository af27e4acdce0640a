// Unsupervised steps of a demonstration: where its features change.
//
// Sermanet, Xu, Levine, "Unsupervised Perceptual Rewards for Imitation Learning", 2016, arXiv 1612.06699,
// section 2.2.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct StepSegments {
  Tensor splits;       // [steps-1] i64, the first frame of segments 2, 3, ...
  Tensor segment_std;  // [steps], mean over columns of the population deviation inside each segment
  Tensor objective;    // scalar, mean of segment_std: the least of all splits, ties to the smallest cuts
};

// Splits `features` [T,D] into `steps` >= 1 runs of at least `min_size` >= 1 frames, T >= steps min_size.
// Exact, by dynamic programming in f64: O(T^2 (D + steps)) time, O(T^2) memory. UserErrors: empty, shape,
// nan, value.
StepSegments segment_steps(const Tensor& features, int64_t steps, int64_t min_size);

}  // namespace plaudit
