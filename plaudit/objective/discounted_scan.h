// The one recursion behind returns, GAE, TD(lambda) and their kin.
#pragma once

#include <ATen/core/Tensor.h>

namespace plaudit {

// y_t = x_t + decay y_{t+1} along the last dimension, y after the end is 0. O(T) on plain CPU tensors;
// elsewhere, and where a gradient is needed, log2(T) vector steps of the same recursion.
at::Tensor discounted_scan(const at::Tensor& x, double decay);

// As above with a decay for every step: y_t = x_t + decay_t y_{t+1}; `decay` has the shape of x.
at::Tensor discounted_scan(const at::Tensor& x, const at::Tensor& decay);

}  // namespace plaudit
