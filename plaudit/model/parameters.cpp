// What of a transformer is trained, and in which number format.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cstring>

#include "plaudit/core/errors.h"
#include "plaudit/model/transformer.h"
#include "plaudit/model/weights.h"

namespace plaudit {
namespace {

// "model.layers.0.mlp.up_proj" of "model.layers.0.mlp.up_proj.weight"
std::string module_of(const std::string& weight) {
  return weight.substr(0, weight.rfind('.'));
}

bool matches(const std::string& module, const std::string& target) {
  if (target == "all-linear" || module == target) return true;
  return module.size() > target.size() + 1 && module.ends_with("." + target);
}

// The matrices inside layers: those that adapters may change.
std::vector<WeightSpec> adaptable(const TransformerConfig& config) {
  std::vector<WeightSpec> out;
  for (const auto& spec : weight_table(config)) {
    if (spec.role == WeightRole::matrix && spec.layer >= 0) out.push_back(spec);
  }
  return out;
}

// A 64-bit hash of bytes, eight at a time in four independent lanes.
uint64_t hash_bytes(const uint8_t* data, size_t size, uint64_t seed) {
  constexpr uint64_t kPrime = 0x9E3779B97F4A7C15ULL;
  uint64_t lanes[4] = {seed, seed ^ kPrime, seed + kPrime, ~seed};
  size_t i = 0;
  const auto mix = [&](uint64_t& lane, uint64_t word) {
    lane = (lane ^ word) * kPrime;
    lane ^= lane >> 29;
  };
  for (; i + 32 <= size; i += 32) {
    uint64_t words[4];
    std::memcpy(words, data + i, 32);
    for (int l = 0; l < 4; ++l) mix(lanes[l], words[l]);
  }
  for (; i < size; ++i) mix(lanes[0], data[i]);
  for (int l = 1; l < 4; ++l) mix(lanes[0], lanes[l]);
  mix(lanes[0], size);
  return lanes[0];
}

uint64_t hash_tensor(const std::string& name, const at::Tensor& tensor, uint64_t seed) {
  const auto t = tensor.detach().cpu().contiguous();
  seed = hash_bytes(reinterpret_cast<const uint8_t*>(name.data()), name.size(), seed);
  return hash_bytes(static_cast<const uint8_t*>(t.const_data_ptr()), t.nbytes(), seed);
}

}  // namespace

void Transformer::add_lora(const LoraOptions& options, uint64_t seed) {
  if (has_lora()) fail(ErrorKind::value, "lora", "the model already has an adapter; merge it first");
  if (options.rank < 1)
    fail(ErrorKind::value, "lora", fmt::format("rank must be >= 1, got {}", options.rank));
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail(ErrorKind::value, "lora", fmt::format("dropout must be in [0, 1), got {}", options.dropout));
  const auto specs = adaptable(config_);
  std::map<std::string, LoraLayer> lora;
  for (const auto& target : options.targets) {
    bool found = false;
    std::vector<std::string> known;
    for (const auto& spec : specs) {
      const auto module = module_of(spec.name);
      if (const auto last = module.substr(module.rfind('.') + 1);
          std::find(known.begin(), known.end(), last) == known.end())
        known.push_back(last);
      if (!matches(module, target)) continue;
      found = true;
      lora[spec.name] = make_lora(weights_.at(spec.name), options, Rng(seed, "lora").child(spec.name));
    }
    known.push_back("all-linear");
    if (!found)
      fail(ErrorKind::value, "lora",
           fmt::format("target '{}' is no layer of this {} model{}", target, config_.family,
                       suggestion(target, known)));
  }
  set_trainable(false);
  lora_ = std::move(lora);
  lora_options_ = options;
}

at::Tensor Transformer::merged_weight(const std::string& name, bool use_adapter) const {
  const auto weight = weights_.at(name).detach();
  const auto found = lora_.find(name);
  if (!use_adapter || found == lora_.end()) return weight;
  const auto& [a, b, scale, dropout] = found->second;
  const auto wide = a.scalar_type();
  return at::addmm(weight.to(wide), b.detach(), a.detach(), 1, scale).to(weight.scalar_type());
}

void Transformer::merge_lora() {
  for (const auto& [name, layer] : lora_) weights_[name] = merged_weight(name);
  lora_.clear();
}

std::vector<Parameter> Transformer::trainable() const {
  std::vector<Parameter> out;
  for (const auto& spec : weight_table(config_)) {
    const auto found = lora_.find(spec.name);
    if (found != lora_.end()) {
      const auto module = "base_model.model." + module_of(spec.name);
      out.push_back({module + ".lora_A.weight", found->second.a});
      out.push_back({module + ".lora_B.weight", found->second.b});
    } else if (const auto& weight = weights_.at(spec.name); weight.requires_grad()) {
      out.push_back({spec.name, weight});
    }
  }
  return out;
}

void Transformer::set_trainable(bool full) {
  if (full && has_lora())
    fail(ErrorKind::value, "transformer", "a model with an adapter trains the adapter alone; merge it first");
  for (auto& [name, weight] : weights_) weight.set_requires_grad(full);
}

void Transformer::set_precision(Precision precision) {
  const auto storage = precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
  for (auto& [name, weight] : weights_) {
    if (weight.scalar_type() == storage || weight.scalar_type() == at::kDouble) continue;
    const bool trained = weight.requires_grad();
    weight = weight.detach().to(storage).requires_grad_(trained);
  }
  precision_ = precision;
}

std::shared_ptr<Transformer> Transformer::clone() const {
  auto copy = std::make_shared<Transformer>(*this);
  const auto own = [](at::Tensor& tensor) {
    tensor = tensor.detach().clone().set_requires_grad(tensor.requires_grad());
  };
  for (auto& [name, weight] : copy->weights_) own(weight);
  for (auto& [name, layer] : copy->lora_) {
    own(layer.a);
    own(layer.b);
  }
  return copy;
}

uint64_t Transformer::fingerprint() const {
  const auto config = config_to_json(config_, "").dump();
  auto hash = hash_bytes(reinterpret_cast<const uint8_t*>(config.data()), config.size(), 0);
  for (const auto& [name, weight] : weights_) hash = hash_tensor(name, weight, hash);
  for (const auto& [name, layer] : lora_) {
    hash = hash_tensor(name + ".lora_A", layer.a, hash);
    hash = hash_tensor(name + ".lora_B", layer.b * layer.scale, hash);
  }
  return hash;
}

}  // namespace plaudit
