#include "plaudit/model/fingerprint.h"

#include <ATen/ATen.h>

#include "plaudit/core/hash.h"
#include "plaudit/model/config.h"

namespace plaudit {

namespace {

uint64_t add(const std::string& name, const at::Tensor& weight, uint64_t hash) {
  const auto rounded = weight.detach().cpu().to(at::kBFloat16).contiguous();
  hash = hash64(name, hash);
  return hash64({static_cast<const char*>(rounded.const_data_ptr()), rounded.nbytes()}, hash);
}

}  // namespace

uint64_t backbone_fingerprint(const Transformer& model) {
  auto hash = hash64(config_to_json(model.config(), "").dump());
  for (const auto& [name, weight] : model.weights()) hash = add(name, weight, hash);
  return hash;
}

uint64_t policy_fingerprint(const Transformer& model) {
  auto hash = backbone_fingerprint(model);
  for (const auto& [name, layer] : model.lora()) {
    if (!layer.b.detach().any().item<bool>()) continue;
    hash = hash64(std::to_string(layer.scale), hash);
    hash = add(name + ".a", layer.a, hash);
    hash = add(name + ".b", layer.b, hash);
  }
  return hash;
}

}  // namespace plaudit
