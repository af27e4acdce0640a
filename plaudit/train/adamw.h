// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101), equal to torch.optim.AdamW.
//
// State is f32 (f64 for f64 weights) whatever the weights are: for bf16 or f16 weights a master copy in f32
// is updated and rounded into the weight after each step, and gradients of several backward passes are
// summed in f32. One fused kernel updates everything. Not thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "plaudit/model/transformer.h"

namespace plaudit {

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0;  // of all parameters
};

class AdamW {
 public:
  // The tensors must require gradients and be leaves; they are changed in place.
  AdamW(std::vector<Parameter> parameters, AdamWOptions options);

  // To be called after a backward pass when another follows before the step: moves the gradients of
  // low-precision weights into f32 sums. Gradients of f32 and f64 weights already sum exactly in place.
  void collect();
  // The gradients since the last step, one per parameter, zeros where none came; the tensors themselves, so
  // that ranks can add theirs in place.
  std::vector<at::Tensor> gradients();
  // The norm of all gradients together, as one number on their device.
  at::Tensor gradient_norm();
  // One update with gradients divided by `divisor`; then forgets the gradients.
  void step(double learning_rate, double divisor);
  // Forgets the gradients.
  void clear();

  // Everything that a checkpoint must hold besides the weights: "adamw.mean/<name>", "adamw.square/<name>",
  // "adamw.master/<name>" (low-precision weights only) and "adamw.steps". Writing into these tensors
  // restores.
  std::vector<Parameter> state() const;
  // Rounds restored master copies into the weights.
  void restored();

  at::Device device() const { return steps_.device(); }

 private:
  std::vector<Parameter> parameters_;
  AdamWOptions options_;
  std::vector<at::Tensor> masters_;  // the weight itself, or its f32 copy
  std::vector<at::Tensor> sums_;     // f32 sums of low-precision gradients; undefined when there are none
  std::vector<at::Tensor> means_, squares_;
  at::Tensor steps_;  // one f32 number
};

}  // namespace plaudit
