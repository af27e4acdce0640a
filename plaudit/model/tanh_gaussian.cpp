#include "plaudit/model/tanh_gaussian.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

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

ActionLaw TanhGaussianPolicy::heads(const Tensor& observations) const {
  const auto parts = network_(observations).chunk(2, -1);
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
  return TanhGaussianPolicy(Mlp(weights, biases));
}

void save_tanh_gaussian_policy(const std::string& path, const TanhGaussianPolicy& policy,
                               const std::map<std::string, std::string>& metadata) {
  const auto parameters = policy.network().parameters("");
  const size_t hidden = parameters.size() / 2 - 1;
  std::map<std::string, Tensor> tensors;
  for (size_t i = 0; i <= hidden; ++i) {
    for (const auto& [part, value] :
         {std::pair{".weight", parameters[2 * i].tensor}, {".bias", parameters[2 * i + 1].tensor}}) {
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
