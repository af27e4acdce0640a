// The passes of a multi-layer perceptron whose weights lie in one buffer, with a backward pass of its own.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace plaudit {

// Layer by layer weight then bias: [O,I] and [O], of an ensemble [N,I,O] and [N,1,O].
struct MlpLayer {
  at::Tensor weight, bias;
};
std::vector<MlpLayer> mlp_layers(const at::Tensor& flat, const std::vector<int64_t>& sizes, int64_t members);
int64_t mlp_count(const std::vector<int64_t>& sizes, int64_t members);

// `x` [B,I], for an ensemble also [N,B,I]; the output [B,O] or [N,B,O]. One node of the graph, differentiable
// once.
at::Tensor mlp_forward(const at::Tensor& x, const at::Tensor& flat, const std::vector<int64_t>& sizes,
                       int64_t members);

}  // namespace plaudit
