// Rewards still to come.
//
// `rewards` [B,T], `mask` [B,T] with a valid element somewhere; what lies under the mask is never read and
// comes back as 0. The mask may have holes and padding on either side: time runs on under it. UserErrors:
// empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

// G_t = sum_{j >= t} gamma^(j-t) r_j, [B,T]; gamma in [0,1]. Named offline.returns_to_go (page 49) and
// advantage.returns_to_go (page 21).
Tensor returns_to_go(const Tensor& rewards, const Tensor& mask, double gamma = 1);

// dG_t/dgamma = sum_{j >= t} (j-t) gamma^(j-t-1) r_j, [B,T].
Tensor returns_gamma_derivative(const Tensor& rewards, const Tensor& mask, double gamma);

// What is left of a target return before each step: target - sum of the rewards so far; `target` [B],
// `rewards` [B,T].
Tensor return_condition(const Tensor& target, const Tensor& rewards);

// The two recursions on rewards that are 0 under the mask, not masked themselves.
Tensor discounted_returns(const Tensor& rewards, double gamma);
Tensor discounted_returns_derivative(const Tensor& rewards, double gamma);

}  // namespace plaudit
