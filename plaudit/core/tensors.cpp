#include "plaudit/core/tensors.h"

#include <ATen/ATen.h>

namespace plaudit {

at::Tensor on_cpu_f64(const at::Tensor& t) {
  return t.detach().to(at::kCPU, at::kDouble).contiguous();
}

at::Tensor unit_rows(const at::Tensor& x, double eps) {
  return x / at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}, /*keepdim=*/true).clamp_min(eps);
}

c10::List<bool> flag_list(const std::vector<bool>& flags) {
  c10::List<bool> list;
  for (const bool flag : flags) list.push_back(flag);
  return list;
}

}  // namespace plaudit
