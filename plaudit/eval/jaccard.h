// Overlap of sets of frames.
#pragma once

#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

// Intersection over union of the nonzero entries of `prediction` and `target` [T]; 1 where both have none.
// UserErrors: unequal sizes (shape).
Tensor jaccard(const Tensor& prediction, const Tensor& target);

struct StepJaccard {
  Tensor per_step;  // [n+1]
  Tensor mean;      // scalar
};

// The overlap of each step when n ascending splits in [0, length] cut a video of `length` frames; both lists
// have n entries. UserErrors: unequal lengths (shape), unsorted or out of range (value).
StepJaccard step_jaccard(const std::vector<int64_t>& splits, const std::vector<int64_t>& target_splits,
                         int64_t length);

}  // namespace plaudit
