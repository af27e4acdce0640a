#include "plaudit/model/config.h"

#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"

namespace plaudit {

int64_t TransformerConfig::window(int64_t layer) const {
  return sliding_layers.empty() || !sliding_layers[static_cast<size_t>(layer)] ? 0 : sliding_window;
}

double TransformerConfig::score_scale() const {
  return attention_scale != 0 ? attention_scale : 1 / std::sqrt(static_cast<double>(head_dim));
}

void check_config(const TransformerConfig& c, const std::string& where) {
  const auto require = [&](bool ok, const char* field, const char* expected, auto value) {
    if (!ok) fail(ErrorKind::value, where, fmt::format("{} must be {}, got {}", field, expected, value));
  };
  const std::pair<const char*, int64_t> sizes[] = {
      {"vocabulary size", c.vocab}, {"hidden size", c.hidden},          {"number of layers", c.layers},
      {"number of heads", c.heads}, {"number of kv heads", c.kv_heads}, {"head size", c.head_dim},
      {"feed-forward size", c.ffn}, {"context length", c.context}};
  for (const auto& [field, value] : sizes)
    require(value >= 1 && value < (1LL << 31), field, "at least 1", value);
  require(c.heads % c.kv_heads == 0, "number of heads", "a multiple of the kv heads", c.heads);
  require(c.is_gpt2() || c.head_dim % 2 == 0, "head size", "even, for rotary positions", c.head_dim);
  require(c.norm_eps >= 0 && c.norm_eps < 1, "norm epsilon", "in [0, 1)", c.norm_eps);
  require(c.rope_theta > 0 && c.rope_local_theta > 0, "rope theta", "> 0", c.rope_theta);
  require(c.sliding_layers.empty() || static_cast<int64_t>(c.sliding_layers.size()) == c.layers,
          "layer_types", "one per layer", c.sliding_layers.size());
  require(c.sliding_window >= 0, "sliding window", ">= 0", c.sliding_window);
  require(c.rope_scaling.type != "factors" ||
              static_cast<int64_t>(c.rope_scaling.factors.size()) == c.head_dim / 2,
          "number of rope factors", "half the head size", c.rope_scaling.factors.size());
  require(c.rope_scaling.factor > 0, "rope scaling factor", "> 0", c.rope_scaling.factor);
  for (const auto& cap : {c.attention_softcap, c.final_softcap})
    require(!cap || *cap > 0, "softcap", "> 0", cap.value_or(0));
}

}  // namespace plaudit
