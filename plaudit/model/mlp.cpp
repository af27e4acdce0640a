#include "plaudit/model/mlp.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/safetensors.h"

namespace plaudit {
namespace {

std::string layer_name(size_t layer) {
  return fmt::format("actor.latent_pi.{}", 2 * layer);  // activations count as modules between
}

// The weight of a layer that takes `width` numbers (-1: any), and its bias.
std::pair<Tensor, Tensor> read_layer(const TensorFile& file, const std::string& path, const std::string& name,
                                     int64_t width) {
  const auto find = [&](const std::string& part) {
    const auto found = file.tensors.find(name + "." + part);
    if (found == file.tensors.end()) fail(ErrorKind::type, path, "has no tensor '" + name + "." + part + "'");
    return found->second;
  };
  const auto weight = find("weight"), bias = find("bias");
  if (weight.dim() != 2 || bias.dim() != 1 || weight.size(0) != bias.size(0) ||
      (width >= 0 && weight.size(1) != width))
    fail(ErrorKind::shape, path,
         fmt::format("{} must be [out,{}] with a bias [out], got {} and {}", name,
                     width < 0 ? "in" : std::to_string(width), shape_of(weight), shape_of(bias)));
  return {weight, bias};
}

}  // namespace

Mlp::Mlp(std::vector<Tensor> weights, std::vector<Tensor> biases)
    : weights_(std::move(weights)), biases_(std::move(biases)) {
  if (weights_.empty() || weights_.size() != biases_.size())
    bug("Mlp", fmt::format("{} weights and {} biases", weights_.size(), biases_.size()));
}

Mlp Mlp::random(const std::vector<int64_t>& sizes, Rng& rng, int64_t members) {
  if (sizes.size() < 2) bug("Mlp", "needs sizes of its input and output");
  std::vector<Tensor> weights, biases;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    const double bound = 1 / std::sqrt(static_cast<double>(sizes[i]));
    std::vector<int64_t> weight = {sizes[i + 1], sizes[i]}, bias = {sizes[i + 1]};
    if (members > 0) {
      weight.insert(weight.begin(), members);
      bias.insert(bias.begin(), members);
    }
    weights.push_back((rng.uniform_tensor(weight) * 2 - 1) * bound);
    biases.push_back((rng.uniform_tensor(bias) * 2 - 1) * bound);
  }
  return {std::move(weights), std::move(biases)};
}

Tensor Mlp::forward(const Tensor& x) const {
  const int64_t n = members();
  auto y = n > 0 && x.dim() == 2 ? x.unsqueeze(0).expand({n, -1, -1}) : x;
  for (size_t i = 0; i < weights_.size(); ++i) {
    y = n > 0 ? at::baddbmm(biases_[i].unsqueeze(1), y, weights_[i].transpose(1, 2))
              : at::linear(y, weights_[i], biases_[i]);
    if (i + 1 < weights_.size()) y = at::relu(y);
  }
  return y;
}

std::vector<Tensor> Mlp::parameters() const {
  std::vector<Tensor> all;
  for (size_t i = 0; i < weights_.size(); ++i) {
    all.push_back(weights_[i]);
    all.push_back(biases_[i]);
  }
  return all;
}

GaussianHeads TanhGaussianPolicy::heads(const Tensor& observations) const {
  const auto parts = network_.forward(observations).chunk(2, -1);
  return {parts[0], parts[1].clamp(-20, 2)};
}

Tensor TanhGaussianPolicy::act(const Tensor& observations) const {
  return heads(observations).mean.tanh();
}

TanhGaussianPolicy load_tanh_gaussian_policy(const std::string& path) {
  const auto file = load_safetensors(path);
  std::vector<Tensor> weights, biases;
  int64_t width = -1;
  for (size_t i = 0; i == 0 || file.tensors.count(layer_name(i) + ".weight") > 0; ++i) {
    const auto [weight, bias] = read_layer(file, path, layer_name(i), width);
    weights.push_back(weight);
    biases.push_back(bias);
    width = weight.size(0);
  }
  const auto [mean, mean_bias] = read_layer(file, path, "actor.mu", width);
  const auto [log_std, log_std_bias] = read_layer(file, path, "actor.log_std", width);
  if (mean.size(0) != log_std.size(0))
    fail(ErrorKind::shape, path,
         fmt::format("actor.mu has {} actions, actor.log_std {}", mean.size(0), log_std.size(0)));
  weights.push_back(at::cat({mean, log_std}));
  biases.push_back(at::cat({mean_bias, log_std_bias}));
  return TanhGaussianPolicy(Mlp(std::move(weights), std::move(biases)));
}

void save_tanh_gaussian_policy(const std::string& path, const TanhGaussianPolicy& policy,
                               const std::map<std::string, std::string>& metadata) {
  const auto parameters = policy.network().parameters();
  const size_t hidden = parameters.size() / 2 - 1;
  std::map<std::string, Tensor> tensors;
  for (size_t i = 0; i <= hidden; ++i) {
    for (const auto& [part, value] :
         {std::pair{".weight", parameters[2 * i]}, {".bias", parameters[2 * i + 1]}}) {
      if (i < hidden) {
        tensors[layer_name(i) + part] = value.detach();
        continue;
      }
      const auto halves = value.detach().chunk(2);
      tensors[std::string("actor.mu") + part] = halves[0].contiguous();
      tensors[std::string("actor.log_std") + part] = halves[1].contiguous();
    }
  }
  save_safetensors(path, tensors, metadata);
}

}  // namespace plaudit
