// Arithmetic under a mask. An element of a mask is valid when it is nonzero.
//
// Invalid values are selected away, never multiplied by zero, so NaN and infinity under a mask reach neither
// a result nor a gradient.
#pragma once

#include <ATen/core/Tensor.h>

namespace plaudit {

// The mask as booleans. UserError (nan): a mask that holds NaN or infinity says nothing.
at::Tensor valid(const at::Tensor& mask);

// `x` where `mask` (broadcast to x) is valid, 0 elsewhere.
at::Tensor keep_valid(const at::Tensor& x, const at::Tensor& mask);

// The sum over the valid elements along `dim`.
at::Tensor masked_sum(const at::Tensor& x, const at::Tensor& mask, int64_t dim);

// The mean over the valid elements along `dim`; 0 where there are none.
at::Tensor masked_mean(const at::Tensor& x, const at::Tensor& mask, int64_t dim);

// The mean over all valid elements; 0 when there are none.
at::Tensor masked_mean(const at::Tensor& x, const at::Tensor& mask);

}  // namespace plaudit
