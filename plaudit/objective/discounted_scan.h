// The one recursion behind returns, GAE, TD(lambda) and their kin.
#pragma once

#include <ATen/core/Tensor.h>

namespace plaudit {

// y_t = x_t + decay y_{t+1} along the last dimension, y after the end is 0. On plain f32 and f64 tensors of
// the processor O(T), derivatives included; elsewhere by doubling.
at::Tensor discounted_scan(const at::Tensor& x, double decay);

// As above with a decay for every step: y_t = x_t + decay_t y_{t+1}; `decay` has the shape of x.
at::Tensor discounted_scan(const at::Tensor& x, const at::Tensor& decay);

// The same in log2(T) vector steps: what runs on other devices, in traced programs and for other types.
at::Tensor scan_by_doubling(at::Tensor x, at::Tensor decay);

}  // namespace plaudit
