#include "plaudit/model/mlp.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"

namespace plaudit {

std::vector<int64_t> mlp_sizes(int64_t inputs, const std::vector<int64_t>& hidden, int64_t outputs) {
  std::vector<int64_t> out = {inputs};
  out.insert(out.end(), hidden.begin(), hidden.end());
  out.push_back(outputs);
  return out;
}

Mlp::Mlp(const std::vector<int64_t>& sizes, int64_t members, Rng rng, LinearInit init) : members_(members) {
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    const int64_t in = sizes[i], out = sizes[i + 1];
    const bool xavier = init == LinearInit::xavier;
    const double bound =
        xavier ? std::sqrt(6.0 / static_cast<double>(in + out)) : 1 / std::sqrt(static_cast<double>(in));
    const auto draw = [&](at::IntArrayRef shape, double limit) {
      return ((2 * rng.uniform_tensor(shape) - 1) * limit).set_requires_grad(true);
    };
    const double bias = xavier ? 0 : bound;
    if (members == 0)
      layers_.push_back({draw({out, in}, bound), draw({out}, bias)});
    else
      layers_.push_back({draw({members, in, out}, bound), draw({members, 1, out}, bias)});
  }
}

Mlp::Mlp(const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& biases) {
  if (weights.empty() || weights.size() != biases.size())
    bug("Mlp", fmt::format("{} weights and {} biases", weights.size(), biases.size()));
  for (size_t i = 0; i < weights.size(); ++i) layers_.push_back({weights[i], biases[i]});
}

int64_t Mlp::input_size() const {
  return layers_.front().weight.size(1);  // of [O,I] and of [N,I,O]
}

int64_t Mlp::output_size() const {
  return layers_.back().bias.size(-1);
}

at::Tensor Mlp::operator()(const at::Tensor& x) const {
  auto h = x;
  if (members_ > 0 && h.dim() == 2) h = h.unsqueeze(0).expand({members_, -1, -1});
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (i > 0) h = h.relu();
    const auto& [weight, bias] = layers_[i];
    h = members_ == 0 ? at::linear(h, weight, bias) : at::baddbmm(bias, h, weight);
  }
  return h;
}

std::vector<Parameter> Mlp::parameters(const std::string& prefix) const {
  std::vector<Parameter> out;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const auto layer = prefix + "." + std::to_string(i);
    out.push_back({layer + ".weight", layers_[i].weight});
    out.push_back({layer + ".bias", layers_[i].bias});
  }
  return out;
}

Mlp Mlp::frozen() const {
  Mlp out = *this;
  for (auto& layer : out.layers_) layer = {layer.weight.detach(), layer.bias.detach()};
  return out;
}

Mlp Mlp::copy() const {
  Mlp out = *this;
  for (auto& layer : out.layers_) layer = {layer.weight.detach().clone(), layer.bias.detach().clone()};
  return out;
}

}  // namespace plaudit
