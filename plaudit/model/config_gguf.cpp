#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/model/config.h"

namespace plaudit {
namespace {

// The keys of one architecture.
class Keys {
 public:
  Keys(const Json& metadata, std::string where) : metadata_(metadata), where_(std::move(where)) {
    const std::string key = "general.architecture";
    if (!metadata.contains(key) || !metadata[key].is_string())
      fail(ErrorKind::value, where_, "general.architecture is missing");
    architecture_ = metadata[key].get<std::string>();
  }

  const std::string& architecture() const { return architecture_; }
  bool has(const std::string& key) const { return metadata_.contains(architecture_ + "." + key); }

  int64_t integer(const std::string& key, std::optional<int64_t> fallback = {}) const {
    const auto* value = find(key, fallback.has_value());
    if (value == nullptr) return *fallback;
    if (!value->is_number_integer()) refuse(key, "a whole number", *value);
    return value->get<int64_t>();
  }
  double number(const std::string& key, std::optional<double> fallback = {}) const {
    const auto* value = find(key, fallback.has_value());
    if (value == nullptr) return *fallback;
    if (!value->is_number()) refuse(key, "a number", *value);
    return value->get<double>();
  }
  std::string text(const std::string& key, const std::string& fallback) const {
    const auto* value = find(key, true);
    if (value == nullptr) return fallback;
    if (!value->is_string()) refuse(key, "text", *value);
    return value->get<std::string>();
  }
  std::optional<double> cap(const std::string& key) const {
    return has(key) ? std::optional(number(key)) : std::nullopt;
  }

 private:
  const Json* find(const std::string& key, bool optional) const {
    const auto found = metadata_.find(architecture_ + "." + key);
    if (found != metadata_.end()) return &*found;
    if (!optional) fail(ErrorKind::value, where_, fmt::format("key {}.{} is missing", architecture_, key));
    return nullptr;
  }
  [[noreturn]] void refuse(const std::string& key, const char* expected, const Json& value) const {
    fail(ErrorKind::type, where_,
         fmt::format("key {}.{} must be {}, got {}", architecture_, key, expected, value.dump()));
  }

  const Json& metadata_;
  std::string where_, architecture_;
};

void read_rope(const Keys& keys, TransformerConfig& c, const std::string& where) {
  c.rope_theta = keys.number("rope.freq_base", c.is_gemma() ? 1e6 : 10000);
  // Gemma-3 files do not carry the base of the sliding layers: it is a constant of the architecture.
  c.rope_local_theta = c.is_gemma() ? 10000 : c.rope_theta;
  const auto type = keys.text("rope.scaling.type", "none");
  if (type == "linear") {
    c.rope_scaling.type = type;
    c.rope_scaling.factor = keys.number("rope.scaling.factor");
  } else if (type != "none") {
    fail(ErrorKind::value, where,
         fmt::format("key {}.rope.scaling.type '{}' is not supported, expected one of: none, linear",
                     keys.architecture(), type));
  }
  const auto rotated = keys.integer("rope.dimension_count", c.head_dim);
  if (rotated != c.head_dim)
    fail(ErrorKind::value, where,
         fmt::format("key {}.rope.dimension_count must be the head size {}, got {}", keys.architecture(),
                     c.head_dim, rotated));
}

}  // namespace

TransformerConfig config_from_gguf(const Json& metadata, int64_t vocab, bool tied, const std::string& where) {
  const Keys keys(metadata, where);
  const std::vector<std::string> known = {"llama", "qwen2", "gpt2", "gemma3"};
  if (std::find(known.begin(), known.end(), keys.architecture()) == known.end())
    fail(ErrorKind::value, where,
         fmt::format("general.architecture '{}' is not supported{}", keys.architecture(),
                     suggestion(keys.architecture(), known)));
  TransformerConfig c;
  c.family = keys.architecture();
  c.vocab = vocab;
  c.tied = tied;
  c.layers = keys.integer("block_count");
  c.hidden = keys.integer("embedding_length");
  c.heads = keys.integer("attention.head_count");
  c.kv_heads = keys.integer("attention.head_count_kv", c.heads);
  c.head_dim = keys.integer("attention.key_length", c.heads > 0 ? c.hidden / c.heads : 0);
  c.ffn = keys.integer("feed_forward_length");
  c.context = keys.integer("context_length");
  c.norm_eps = c.is_gpt2() ? keys.number("attention.layer_norm_epsilon")
                           : keys.number("attention.layer_norm_rms_epsilon");
  c.qkv_bias = c.is_gpt2() || c.family == "qwen2";
  c.o_bias = c.mlp_bias = c.is_gpt2();
  c.activation = c.is_gpt2() || c.is_gemma() ? "gelu_tanh" : "silu";
  if (!c.is_gpt2()) read_rope(keys, c, where);
  if (c.is_gemma()) {
    c.embedding_scale = std::sqrt(static_cast<double>(c.hidden));
    c.norm_unit_offset = true;
    // The 27B model (62 layers) divides by its hidden size per head, not by its head size.
    if (c.layers == 62)
      c.attention_scale = std::sqrt(static_cast<double>(c.heads) / static_cast<double>(c.hidden));
    c.sliding_window = keys.integer("attention.sliding_window");
    for (int64_t i = 0; i < c.layers; ++i) c.sliding_layers.push_back((i + 1) % 6 != 0);
    c.attention_softcap = keys.cap("attn_logit_softcapping");
    c.final_softcap = keys.cap("final_logit_softcapping");
  }
  if (metadata.contains("tokenizer.ggml.eos_token_id") &&
      metadata["tokenizer.ggml.eos_token_id"].is_number_integer())
    c.eos_ids = {metadata["tokenizer.ggml.eos_token_id"].get<int64_t>()};
  check_config(c, where);
  return c;
}

Json config_to_gguf(const TransformerConfig& c) {
  const auto& a = c.family;
  Json m = {{"general.architecture", a},
            {a + ".block_count", c.layers},
            {a + ".context_length", c.context},
            {a + ".embedding_length", c.hidden},
            {a + ".feed_forward_length", c.ffn},
            {a + ".attention.head_count", c.heads},
            {a + ".attention.head_count_kv", c.kv_heads},
            {a + (c.is_gpt2() ? ".attention.layer_norm_epsilon" : ".attention.layer_norm_rms_epsilon"),
             c.norm_eps}};
  if (c.is_gpt2()) return m;
  m[a + ".attention.key_length"] = m[a + ".attention.value_length"] = c.head_dim;
  m[a + ".rope.freq_base"] = c.rope_theta;
  m[a + ".rope.dimension_count"] = c.head_dim;
  if (c.rope_scaling.type == "linear") {
    m[a + ".rope.scaling.type"] = "linear";
    m[a + ".rope.scaling.factor"] = c.rope_scaling.factor;
  }
  if (c.is_gemma()) m[a + ".attention.sliding_window"] = c.sliding_window;
  if (c.attention_softcap) m[a + ".attn_logit_softcapping"] = *c.attention_softcap;
  if (c.final_softcap) m[a + ".final_logit_softcapping"] = *c.final_softcap;
  return m;
}

}  // namespace plaudit
