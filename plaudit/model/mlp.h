// Multi-layer perceptrons of control: one network, or an ensemble in one batched product.
//
// Layers of sizes[0], ..., sizes[n] with ReLU between; f32. Weights and biases start uniform within
// 1/sqrt(inputs), as torch.nn.Linear, or Xavier-uniform with zero biases. A copy shares its weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/model/transformer.h"

namespace plaudit {

enum class LinearInit { uniform, xavier };

class Mlp {
 public:
  Mlp() = default;
  // `members` 0: one network, [B,I] to [B,O]. N >= 1: an ensemble of N, [B,I] or [N,B,I] to [N,B,O].
  Mlp(const std::vector<int64_t>& sizes, int64_t members, Rng rng, LinearInit init = LinearInit::uniform);

  // One network of given weights [O,I] and biases [O].
  Mlp(const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& biases);

  at::Tensor operator()(const at::Tensor& x) const;

  int64_t input_size() const;
  int64_t output_size() const;

  // "<prefix>.<layer>.weight" [O,I] or [N,I,O], "<prefix>.<layer>.bias" [O] or [N,1,O].
  std::vector<Parameter> parameters(const std::string& prefix) const;
  // The same weights without gradients: later updates of either show in both.
  Mlp frozen() const;
  // Other weights of the same values, without gradients: a target network.
  Mlp copy() const;

 private:
  struct Layer {
    at::Tensor weight, bias;
  };
  int64_t members_ = 0;
  std::vector<Layer> layers_;
};

// sizes of a network with these hidden layers.
std::vector<int64_t> mlp_sizes(int64_t inputs, const std::vector<int64_t>& hidden, int64_t outputs);

}  // namespace plaudit
