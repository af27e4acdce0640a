// RMSNorm, gated activations and log-probabilities of the CPU in one or two passes over memory each, with
// their derivatives (decode::RowKernels); norm.cpp, activation.cpp and token_logps.cpp hold the same by plain
// operators. Not differentiable.
//
// Results do not depend on the number of threads. Sums are in f32; bf16 results are rounded once.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

#include "plaudit/model/activation.h"
#include "plaudit/model/decode_kernels.h"

namespace plaudit {

// The same activation by the name that the kernels have for it.
decode::Act act_of(Activation activation);

// The types that the functions below take.
inline bool is_fused_type(at::ScalarType type) {
  return type == at::kFloat || type == at::kBFloat16;
}
// A tensor that they take: of such a type, on the CPU, with values that can be read.
bool has_fused_rows(const at::Tensor& t);

// x [N, D] and weight [D] f32, as it multiplies -> [N, D] in `out` (f32 or bf16); rstd becomes [N, 1] f32.
at::Tensor fused_rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, at::ScalarType out,
                          at::Tensor& rstd, const decode::KernelSet& set = decode::kernels());

// grad [N, D] f32 or bf16 -> the gradients of x, in its type, and of weight (f32; undefined unless needed).
std::pair<at::Tensor, at::Tensor> fused_rms_norm_backward(const at::Tensor& grad, const at::Tensor& x,
                                                          const at::Tensor& weight, const at::Tensor& rstd,
                                                          bool need_weight,
                                                          const decode::KernelSet& set = decode::kernels());

// act(gate) * up, or act(gate) where `up` is undefined; one type and shape.
at::Tensor fused_gate(const at::Tensor& gate, const at::Tensor& up, Activation activation,
                      const decode::KernelSet& set = decode::kernels());

// The gradients of gate and up from that of act(gate) * up.
std::pair<at::Tensor, at::Tensor> fused_gate_backward(const at::Tensor& grad, const at::Tensor& gate,
                                                      const at::Tensor& up, Activation activation,
                                                      const decode::KernelSet& set = decode::kernels());

// Of each row of logits [N, V] f32 or bf16, over the temperature: that of its target (0 where the target lies
// outside of [0, V)), the entropy and logsumexp of its softmax, [N] f32.
struct LogpRows {
  at::Tensor chosen, entropy, lse;
};
LogpRows fused_logps(const at::Tensor& logits, const at::Tensor& targets, double temperature,
                     const decode::KernelSet& set = decode::kernels());

// d(loss)/d(log p) of each row, and d(loss)/d(entropy) and d(loss)/d(logsumexp) where defined, [N].
struct LogpGradients {
  at::Tensor logps, entropy, lse;
};
// Overwrites the logits, which may be some columns of rows with this `entropy` and `lse` [N], with the
// derivative by them.
void fused_logps_backward(const at::Tensor& logits, const at::Tensor& targets, double temperature,
                          const at::Tensor& entropy, const at::Tensor& lse, const LogpGradients& grads,
                          const decode::KernelSet& set = decode::kernels());

}  // namespace plaudit
