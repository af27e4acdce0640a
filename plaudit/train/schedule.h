// Learning-rate schedules.
#pragma once

#include <cstdint>

#include "plaudit/train/options.h"

namespace plaudit {

// The learning rate of update `step` (0-based) of `steps`. It rises linearly over the first
// w = round(warmup * steps) updates to the peak, reached at update w - 1, then follows the schedule:
//   constant      peak
//   linear        falls on a line towards min_learning_rate * peak at update `steps`
//   cosine        the same on half a cosine
//   inverse-sqrt  peak * sqrt(max(w, 1) / (step + 1)), never below min_learning_rate * peak
double learning_rate_at(const TrainOptions& options, int64_t step, int64_t steps);

}  // namespace plaudit
