#include "plaudit/model/mlp.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/model/mlp_pass.h"

namespace plaudit {
namespace {

struct Bounds {
  double weight = 0, bias = 0;
  bool constant_bias = false;  // the bias itself, not its bound
};

Bounds bounds_of(LinearInit init, int64_t in, int64_t out, bool last, double head) {
  const double fan = 1 / std::sqrt(static_cast<double>(in));
  if (init == LinearInit::xavier) return {std::sqrt(6.0 / static_cast<double>(in + out)), 0, true};
  if (init == LinearInit::uniform) return {fan, fan};
  return last ? Bounds{head, head} : Bounds{fan, 0.1, true};
}

}  // namespace

LinearInit linear_init_of(const std::string& name) {
  if (name == "xavier") return LinearInit::xavier;
  return name == "uniform" ? LinearInit::uniform : LinearInit::small_head;
}

std::vector<int64_t> mlp_sizes(int64_t inputs, const std::vector<int64_t>& hidden, int64_t outputs) {
  std::vector<int64_t> out = {inputs};
  out.insert(out.end(), hidden.begin(), hidden.end());
  out.push_back(outputs);
  return out;
}

Mlp::Mlp(const std::vector<int64_t>& sizes, int64_t members, Rng rng, LinearInit init, double head)
    : members_(members), sizes_(sizes), flat_(at::empty({mlp_count(sizes, members)}, at::kFloat)) {
  const auto layers = mlp_layers(flat_, sizes, members);
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto& [weight, bias] = layers[i];
    const auto bounds = bounds_of(init, sizes[i], sizes[i + 1], i + 1 == layers.size(), head);
    weight.copy_((2 * rng.uniform_tensor(weight.sizes()) - 1) * bounds.weight);
    const auto draw = 2 * rng.uniform_tensor(bias.sizes()) - 1;
    if (bounds.constant_bias)
      bias.fill_(bounds.bias);
    else
      bias.copy_(draw * bounds.bias);
  }
  flat_.set_requires_grad(true);
}

Mlp::Mlp(const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& biases) {
  if (weights.empty() || weights.size() != biases.size())
    bug("Mlp", fmt::format("{} weights and {} biases", weights.size(), biases.size()));
  std::vector<at::Tensor> parts;
  sizes_ = {weights.front().size(1)};
  for (size_t i = 0; i < weights.size(); ++i) {
    sizes_.push_back(weights[i].size(0));
    parts.push_back(weights[i].detach().flatten());
    parts.push_back(biases[i].detach().flatten());
  }
  flat_ = at::cat(parts);
}

at::Tensor Mlp::operator()(const at::Tensor& x) const {
  return mlp_forward(x, flat_, sizes_, members_);
}

at::Tensor Mlp::input_gradient(const at::Tensor& x, int64_t column) const {
  if (members_ == 0 || output_size() != 1) bug("Mlp", "input_gradient is of an ensemble with one output");
  // Slopes of ReLU are constants almost everywhere: the gradient is a product of masked weights.
  const auto layers = mlp_layers(flat_, sizes_, members_);
  std::vector<at::Tensor> open;
  {
    const at::NoGradGuard no_grad;
    auto h = x.unsqueeze(0).expand({members_, -1, -1});
    for (size_t i = 0; i + 1 < layers.size(); ++i) {
      h = at::baddbmm(layers[i].bias, h, layers[i].weight).relu_();
      open.push_back(h.gt(0).to(h.scalar_type()));
    }
  }
  auto g = layers.back().weight.transpose(1, 2);  // [N,1,H]
  for (size_t i = layers.size() - 1; i-- > 0;) {
    auto weight = layers[i].weight;
    if (i == 0) weight = weight.slice(1, column);
    g = at::matmul(g * open[i], weight.transpose(1, 2));
  }
  return g.expand({members_, x.size(0), input_size() - column});
}

std::vector<Parameter> Mlp::parameters(const std::string& prefix) const {
  std::vector<Parameter> out;
  if (!flat_.defined()) return out;
  const auto layers = mlp_layers(flat_.detach(), sizes_, members_);
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto layer = prefix + "." + std::to_string(i);
    out.push_back({layer + ".weight", layers[i].weight});
    out.push_back({layer + ".bias", layers[i].bias});
  }
  return out;
}

Mlp Mlp::frozen() const {
  Mlp out = *this;
  out.flat_ = flat_.detach();
  return out;
}

Mlp Mlp::copy() const {
  Mlp out = *this;
  out.flat_ = flat_.detach().clone();
  return out;
}

void Mlp::follow(const Mlp& source, double tau) const {
  flat_.detach().lerp_(source.flat_.detach(), tau);
}

}  // namespace plaudit
