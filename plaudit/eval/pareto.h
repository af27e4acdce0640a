// Trade-offs between objectives that are all to be maximised.
//
// UserErrors: no point (empty), shape, nan.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// True for the points [N,K] that no other point matches in every coordinate and beats in one, [N] bool; exact
// duplicates all stay.
Tensor pareto_mask(const Tensor& points);

// The area above `reference` [2] that `points` [N,2] dominate; a point that is not strictly above it in both
// coordinates adds nothing.
Tensor hypervolume2d(const Tensor& points, const Tensor& reference);

}  // namespace plaudit
