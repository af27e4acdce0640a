// Forms of tensors and lists that many functions need.
#pragma once

#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>

#include <vector>

namespace plaudit {

// `t` in f64, contiguous, in the processor's memory and without its graph; no copy where it is that already.
at::Tensor on_cpu_f64(const at::Tensor& t);

// The rows [..., D] of `x` divided by their Euclidean lengths; lengths below `eps` count as `eps`.
at::Tensor unit_rows(const at::Tensor& x, double eps = 1e-12);

// As the dispatcher returns it.
c10::List<bool> flag_list(const std::vector<bool>& flags);

}  // namespace plaudit
