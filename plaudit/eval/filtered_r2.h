// How well a filtered reward explains what answers are really worth.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

// The weighted squared correlation of `rewards` [N] and true `scores` [N] over `weights` [N] > 0, a scalar.
// With `bins`
// >= 1 the kept pairs are sorted by reward (stable) and cut into runs whose sizes differ by at most one,
// longer ones first; the weighted means of the runs are then correlated unweighted. Used to choose a filter
// before any training: Shen, Zhang et al., 2024, arXiv 2409.06957, section 4.2. UserErrors: empty (no pair,
// or no positive weight), shape, nan, value (negative weight, bins out of range, zero variance of rewards or
// scores).
Tensor filtered_r2(const Tensor& rewards, const Tensor& scores, const Tensor& weights,
                   std::optional<int64_t> bins = std::nullopt);

}  // namespace plaudit
