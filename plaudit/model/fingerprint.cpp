#include "plaudit/model/fingerprint.h"

#include <ATen/ATen.h>

#include "plaudit/core/hash.h"
#include "plaudit/model/config.h"

namespace plaudit {

uint64_t backbone_fingerprint(const Transformer& model) {
  auto hash = hash64(config_to_json(model.config(), "").dump());
  for (const auto& [name, weight] : model.weights()) {
    const auto rounded = weight.detach().cpu().to(at::kBFloat16).contiguous();
    hash = hash64(name, hash);
    hash = hash64({static_cast<const char*>(rounded.const_data_ptr()), rounded.nbytes()}, hash);
  }
  return hash;
}

}  // namespace plaudit
