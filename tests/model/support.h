// Shared by the tests of model/: numbers from a seed, gradients, and the largest difference.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "plaudit/core/rng.h"

namespace plaudit::testing {

inline at::Tensor numbers(at::IntArrayRef sizes, int64_t stream, bool grad = true) {
  return Rng(11, "test").child(stream).normal_tensor(sizes, at::kDouble).requires_grad_(grad);
}

inline double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

// Gradients of sum(y_i * fixed weights) with respect to the leaves.
inline std::vector<at::Tensor> gradients(const std::vector<at::Tensor>& outputs,
                                         const std::vector<at::Tensor>& leaves) {
  auto total = at::zeros({}, at::kDouble);
  for (size_t i = 0; i < outputs.size(); ++i)
    total = total + (outputs[i] * numbers(outputs[i].sizes(), 1000 + static_cast<int64_t>(i), false)).sum();
  return torch::autograd::grad({total}, leaves);
}

}  // namespace plaudit::testing
