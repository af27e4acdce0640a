#include "plaudit/core/masked.h"

#include <ATen/ATen.h>

#include "plaudit/core/checks.h"

namespace plaudit {

using at::Tensor;

Tensor valid(const Tensor& mask) {
  Check("mask").finite("a mask", mask);
  return mask.ne(0);
}

Tensor keep_valid(const Tensor& x, const Tensor& mask) {
  return at::where(valid(mask), x, at::zeros({}, x.options()));
}

Tensor masked_sum(const Tensor& x, const Tensor& mask, int64_t dim) {
  return keep_valid(x, mask).sum(dim);
}

Tensor masked_mean(const Tensor& x, const Tensor& mask, int64_t dim) {
  return masked_sum(x, mask, dim) / valid(mask).sum(dim).clamp_min(1);
}

Tensor masked_mean(const Tensor& x, const Tensor& mask) {
  return keep_valid(x, mask).sum() / valid(mask).sum().clamp_min(1);
}

}  // namespace plaudit
