// Linear layers of a transformer with what stands before them: norm -> {q, k, v}, attention -> o,
// norm -> {gate, up}, act(gate) * up -> down. One function computes the input operation and all products of
// it, so that the result of the input operation is computed again in the backward pass instead of being
// stored, gradients of frozen weights are never computed, and low-rank adapters share the input.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "plaudit/model/activation.h"
#include "plaudit/model/lora.h"
#include "plaudit/model/norm.h"

namespace plaudit {

// h W^T + bias (+ the adapter).
struct Projection {
  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out] or undefined
  const LoraLayer* lora = nullptr;
  std::optional<uint64_t>
      dropout_key;  // the dropout mask of the adapter is a function of it; none: no dropout
};

// h as a function of what is stored: x; norm(x); act(x); act(x) * up.
struct ProjectionInput {
  at::Tensor x;  // [N, in]
  std::optional<Norm> norm;
  std::optional<Activation> activation;
  at::Tensor up;  // gated: [N, in], same shape as x
};

// The products, [N, out] each, in the dtype `compute`; weights of another dtype are cast for the product.
std::vector<at::Tensor> project(const ProjectionInput& input, const std::vector<Projection>& projections,
                                at::ScalarType compute);

// The same by plain differentiable operators, which store every intermediate result: the reference.
std::vector<at::Tensor> project_reference(const ProjectionInput& input,
                                          const std::vector<Projection>& projections, at::ScalarType compute);

}  // namespace plaudit
