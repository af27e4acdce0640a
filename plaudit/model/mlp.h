// Multi-layer perceptrons of control: one network, or an ensemble in one batched product.
//
// Layers of sizes[0], ..., sizes[n] with ReLU between; f32. All weights lie in one buffer, which is one
// parameter for optimizer and target update, and gradients are written into one of the same form. A copy
// shares its weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/model/transformer.h"

namespace plaudit {

// How weights and biases start. uniform: within 1/sqrt(inputs), as torch.nn.Linear; xavier: Xavier-uniform,
// biases zero; small_head: uniform weights, hidden biases 0.1, the last layer within `head`, as EDAC (An et
// al., 2021).
enum class LinearInit { uniform, xavier, small_head };
// Of that name, one of the three.
LinearInit linear_init_of(const std::string& name);

class Mlp {
 public:
  Mlp() = default;
  // `members` 0: one network, [B,I] to [B,O]. N >= 1: an ensemble of N, [B,I] or [N,B,I] to [N,B,O].
  Mlp(const std::vector<int64_t>& sizes, int64_t members, Rng rng, LinearInit init = LinearInit::uniform,
      double head = 3e-3);

  // One network of given weights [O,I] and biases [O].
  Mlp(const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& biases);

  // Differentiable once, by x and by the weights.
  at::Tensor operator()(const at::Tensor& x) const;

  // The gradient of the (single) output by the columns of x from `column` on, [N,B,I - column] for an
  // ensemble and x [B,I]; itself differentiable by the weights.
  at::Tensor input_gradient(const at::Tensor& x, int64_t column) const;

  int64_t input_size() const { return sizes_.front(); }
  int64_t output_size() const { return sizes_.back(); }

  // "<prefix>.<layer>.weight" [O,I] or [N,I,O], "<prefix>.<layer>.bias" [O] or [N,1,O], as views without
  // gradient: for files.
  std::vector<Parameter> parameters(const std::string& prefix) const;
  // The one buffer of all of them: for optimizers. Undefined for an Mlp without layers.
  const at::Tensor& flat() const { return flat_; }
  // The same weights without gradients: later updates of either show in both.
  Mlp frozen() const;
  // Other weights of the same values, without gradients: a target network.
  Mlp copy() const;
  // A target network's step: weights += tau (source - weights).
  void follow(const Mlp& source, double tau) const;

 private:
  int64_t members_ = 0;
  std::vector<int64_t> sizes_;
  at::Tensor flat_;
};

// sizes of a network with these hidden layers.
std::vector<int64_t> mlp_sizes(int64_t inputs, const std::vector<int64_t>& hidden, int64_t outputs);

}  // namespace plaudit
