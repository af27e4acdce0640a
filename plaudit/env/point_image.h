// Pictures of a point task: a red agent and a green goal on white.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Image f64 [3,size,size] of position [2] and goal [2] in [-1,1]^2: column (x+1)/2 (size-1), row (1-y)/2
// (size-1), discs of `radius` pixels, the agent over the goal. Errors: empty, shape, nan, size < 1 or radius
// < 0 (value).
Tensor render_point_task(const Tensor& position, const Tensor& goal, int64_t size, double radius);

}  // namespace plaudit
