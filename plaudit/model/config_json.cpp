#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/model/config.h"

namespace plaudit {
namespace {

// One JSON object of a file, read key by key with messages that name file and key.
class Reader {
 public:
  Reader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json_.is_object()) fail(ErrorKind::type, where_, "must be a JSON object");
  }

  const std::string& where() const { return where_; }
  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }
  const Json& operator[](const char* key) const { return json_[key]; }
  Reader object(const char* key) const { return Reader(json_[key], where_ + ": " + key); }

  int64_t integer(const char* key, std::optional<int64_t> fallback = {}) const {
    if (!present(key, fallback.has_value())) return *fallback;
    if (!json_[key].is_number_integer()) refuse(key, "a whole number");
    return json_[key].get<int64_t>();
  }
  double number(const char* key, std::optional<double> fallback = {}) const {
    if (!present(key, fallback.has_value())) return *fallback;
    if (!json_[key].is_number()) refuse(key, "a number");
    return json_[key].get<double>();
  }
  bool flag(const char* key, bool fallback) const {
    if (!present(key, true)) return fallback;
    if (!json_[key].is_boolean()) refuse(key, "true or false");
    return json_[key].get<bool>();
  }
  std::string text(const char* key, std::optional<std::string> fallback = {}) const {
    if (!present(key, fallback.has_value())) return *fallback;
    if (!json_[key].is_string()) refuse(key, "text");
    return json_[key].get<std::string>();
  }
  std::optional<double> optional_number(const char* key) const {
    return has(key) ? std::optional(number(key)) : std::nullopt;
  }
  [[noreturn]] void refuse(const char* key, std::string_view expected) const {
    fail(ErrorKind::type, where_, fmt::format("{} must be {}, got {}", key, expected, json_[key].dump()));
  }

 private:
  bool present(const char* key, bool has_fallback) const {
    if (has(key)) return true;
    if (!has_fallback) fail(ErrorKind::value, where_, fmt::format("{} is missing", key));
    return false;
  }

  const Json& json_;
  std::string where_;
};

std::string activation_of(const Reader& json, const char* key, const char* fallback) {
  static const std::vector<std::pair<std::string, std::string>> names = {{"silu", "silu"},
                                                                         {"swish", "silu"},
                                                                         {"gelu_new", "gelu_tanh"},
                                                                         {"gelu_pytorch_tanh", "gelu_tanh"},
                                                                         {"gelu_tanh", "gelu_tanh"},
                                                                         {"gelu", "gelu"},
                                                                         {"quick_gelu", "quick_gelu"}};
  const auto name = json.text(key, fallback);
  std::vector<std::string> known;
  for (const auto& [hf, ours] : names) {
    if (hf == name) return ours;
    known.push_back(hf);
  }
  fail(ErrorKind::value, json.where(),
       fmt::format("{} '{}' is not supported{}", key, name, suggestion(name, known)));
}

// One set of rotary parameters: rope_scaling of old files, rope_parameters (or one of its layer types) of
// new.
RopeScaling read_scaling(const Reader& rope, int64_t context) {
  RopeScaling scaling;
  const auto type = rope.has("rope_type") ? rope.text("rope_type") : rope.text("type", "default");
  if (type == "default") return scaling;
  if (type == "linear") {
    scaling.factor = rope.number("factor");
  } else if (type == "llama3") {
    scaling.factor = rope.number("factor");
    scaling.low_freq_factor = rope.number("low_freq_factor");
    scaling.high_freq_factor = rope.number("high_freq_factor");
    scaling.original_context = rope.integer("original_max_position_embeddings", context);
  } else if (type == "longrope" && rope.number("attention_factor", 0) == 1 && rope.has("short_factor") &&
             rope["short_factor"] == rope["long_factor"]) {
    // Plain divisors of the frequencies: how config_to_json writes the rope_freqs of a GGUF file.
    scaling.factors = rope["long_factor"].get<std::vector<double>>();
    scaling.type = "factors";
    return scaling;
  } else {
    fail(ErrorKind::value, rope.where(),
         fmt::format("rope_type '{}' is not supported, expected one of: default, linear, llama3", type));
  }
  scaling.type = type;
  return scaling;
}

void read_rope_parameters(const Reader& json, TransformerConfig& c) {
  const double theta = c.is_gemma() ? 1e6 : 10000;
  if (json.has("rope_parameters")) {
    const auto rope = json.object("rope_parameters");
    const bool by_layer = rope.has("full_attention");
    const auto full = by_layer ? rope.object("full_attention") : rope;
    c.rope_theta = full.number("rope_theta", theta);
    c.rope_scaling = read_scaling(full, c.context);
    if (by_layer && rope.has("sliding_attention"))
      c.rope_local_theta = rope.object("sliding_attention").number("rope_theta", 10000);
    else if (!c.is_gemma())
      c.rope_local_theta = c.rope_theta;
    return;
  }
  c.rope_theta = json.number("rope_theta", theta);
  c.rope_local_theta = c.is_gemma() ? json.number("rope_local_base_freq", 10000) : c.rope_theta;
  if (json.has("rope_scaling")) c.rope_scaling = read_scaling(json.object("rope_scaling"), c.context);
}

// Which layers see only a window: layer_types where the file has it, else every layer but each n-th.
void read_window(const Reader& json, TransformerConfig& c) {
  if (!json.has("sliding_window") || (!c.is_gemma() && !json.flag("use_sliding_window", false))) return;
  c.sliding_window = json.integer("sliding_window");
  const auto layers = static_cast<size_t>(c.layers);
  if (json.has("layer_types")) {
    const auto& types = json["layer_types"];
    if (!types.is_array() || types.size() != layers)
      json.refuse("layer_types", fmt::format("a list with one entry for each of {} layers", layers));
    for (const auto& type : types) {
      if (type != "sliding_attention" && type != "full_attention")
        json.refuse("layer_types", "a list of sliding_attention and full_attention");
      c.sliding_layers.push_back(type == "sliding_attention");
    }
  } else if (c.is_gemma()) {
    const auto pattern = json.has("sliding_window_pattern") ? json.integer("sliding_window_pattern")
                                                            : json.integer("_sliding_window_pattern", 6);
    if (pattern < 1) json.refuse("sliding_window_pattern", "at least 1");
    for (int64_t i = 0; i < c.layers; ++i) c.sliding_layers.push_back((i + 1) % pattern != 0);
  } else {
    const auto full = json.integer("max_window_layers", 28);
    for (int64_t i = 0; i < c.layers; ++i) c.sliding_layers.push_back(i >= full);
  }
}

void read_eos(const Reader& json, TransformerConfig& c) {
  if (!json.has("eos_token_id")) return;
  const auto& eos = json["eos_token_id"];
  if (eos.is_number_integer()) {
    c.eos_ids = {eos.get<int64_t>()};
  } else if (eos.is_array()) {
    for (const auto& id : eos) {
      if (!id.is_number_integer()) json.refuse("eos_token_id", "a token id or a list of them");
      c.eos_ids.push_back(id.get<int64_t>());
    }
  } else {
    json.refuse("eos_token_id", "a token id or a list of them");
  }
}

TransformerConfig read_gpt2(const Reader& json) {
  TransformerConfig c;
  c.family = "gpt2";
  c.vocab = json.integer("vocab_size");
  c.hidden = json.integer("n_embd");
  c.layers = json.integer("n_layer");
  c.heads = c.kv_heads = json.integer("n_head");
  c.head_dim = c.heads > 0 ? c.hidden / c.heads : 0;
  c.ffn = json.integer("n_inner", 4 * c.hidden);
  c.context = json.has("n_positions") ? json.integer("n_positions") : json.integer("n_ctx", 1024);
  c.norm_eps = json.number("layer_norm_epsilon", 1e-5);
  c.qkv_bias = c.o_bias = c.mlp_bias = true;
  c.activation = activation_of(json, "activation_function", "gelu_new");
  if (!json.flag("scale_attn_weights", true)) c.attention_scale = 1;
  if (json.flag("scale_attn_by_inverse_layer_idx", false))
    json.refuse("scale_attn_by_inverse_layer_idx", "false; such models are not supported");
  return c;
}

TransformerConfig read_rotary(const Reader& json, const std::string& family) {
  TransformerConfig c;
  c.family = family;
  c.vocab = json.integer("vocab_size");
  c.hidden = json.integer("hidden_size");
  c.layers = json.integer("num_hidden_layers");
  c.heads = json.integer("num_attention_heads");
  c.kv_heads = json.integer("num_key_value_heads", c.is_gemma() ? 4 : c.heads);
  c.head_dim = json.integer("head_dim", c.is_gemma() ? 256 : c.heads > 0 ? c.hidden / c.heads : 0);
  c.ffn = json.integer("intermediate_size");
  c.context = json.integer("max_position_embeddings", c.is_gemma() ? 131072 : 2048);
  c.norm_eps = json.number("rms_norm_eps", 1e-6);
  const bool qwen = family == "qwen2";
  c.qkv_bias = qwen || json.flag("attention_bias", false);
  c.o_bias = !qwen && json.flag("attention_bias", false);
  c.mlp_bias = json.flag("mlp_bias", false);
  c.activation = c.is_gemma() ? activation_of(json, "hidden_activation", "gelu_pytorch_tanh")
                              : activation_of(json, "hidden_act", "silu");
  if (c.is_gemma()) {
    c.attention_scale = 1 / std::sqrt(json.number("query_pre_attn_scalar", 256));
    c.embedding_scale = std::sqrt(static_cast<double>(c.hidden));
    c.norm_unit_offset = true;
    c.attention_softcap = json.optional_number("attn_logit_softcapping");
    c.final_softcap = json.optional_number("final_logit_softcapping");
    if (json.flag("use_bidirectional_attention", false))
      json.refuse("use_bidirectional_attention", "false; such models are not supported");
  }
  read_rope_parameters(json, c);
  read_window(json, c);
  return c;
}

Json rope_to_json(const TransformerConfig& c) {
  const auto& s = c.rope_scaling;
  Json rope = {{"rope_theta", c.rope_theta}, {"rope_type", s.type.empty() ? "default" : s.type}};
  if (s.type == "linear" || s.type == "llama3") rope["factor"] = s.factor;
  if (s.type == "llama3") {
    rope["low_freq_factor"] = s.low_freq_factor;
    rope["high_freq_factor"] = s.high_freq_factor;
    rope["original_max_position_embeddings"] = s.original_context;
  }
  if (s.type == "factors") {
    rope["rope_type"] = "longrope";
    rope["short_factor"] = rope["long_factor"] = s.factors;
    rope["factor"] = rope["attention_factor"] = 1.0;
    rope["original_max_position_embeddings"] = c.context;
  }
  if (!c.is_gemma()) return rope;
  return {{"full_attention", rope},
          {"sliding_attention", {{"rope_theta", c.rope_local_theta}, {"rope_type", "default"}}}};
}

std::string hf_activation(const std::string& name, bool gpt2) {
  if (name == "gelu_tanh") return gpt2 ? "gelu_new" : "gelu_pytorch_tanh";
  return name;
}

Json gpt2_to_json(const TransformerConfig& c) {
  return {{"architectures", {"GPT2LMHeadModel"}},
          {"model_type", "gpt2"},
          {"vocab_size", c.vocab},
          {"n_embd", c.hidden},
          {"n_layer", c.layers},
          {"n_head", c.heads},
          {"n_inner", c.ffn},
          {"n_positions", c.context},
          {"layer_norm_epsilon", c.norm_eps},
          {"activation_function", hf_activation(c.activation, true)},
          {"scale_attn_weights", c.attention_scale == 0}};
}

Json rotary_to_json(const TransformerConfig& c) {
  const std::string kind = c.is_gemma()          ? "Gemma3ForCausalLM"
                           : c.family == "qwen2" ? "Qwen2ForCausalLM"
                                                 : "LlamaForCausalLM";
  Json json = {{"architectures", {kind}},
               {"model_type", c.is_gemma() ? "gemma3_text" : c.family},
               {"vocab_size", c.vocab},
               {"hidden_size", c.hidden},
               {"num_hidden_layers", c.layers},
               {"num_attention_heads", c.heads},
               {"num_key_value_heads", c.kv_heads},
               {"head_dim", c.head_dim},
               {"intermediate_size", c.ffn},
               {"max_position_embeddings", c.context},
               {"rms_norm_eps", c.norm_eps},
               {c.is_gemma() ? "hidden_activation" : "hidden_act", hf_activation(c.activation, false)},
               {"rope_parameters", rope_to_json(c)}};
  if (c.family != "qwen2") json["attention_bias"] = c.o_bias;
  if (c.family == "llama") json["mlp_bias"] = c.mlp_bias;
  if (c.is_gemma()) {
    const double scale = c.score_scale();
    // transformers takes a whole number only.
    json["query_pre_attn_scalar"] = std::llround(1 / (scale * scale));
    json["attn_logit_softcapping"] = c.attention_softcap ? Json(*c.attention_softcap) : Json(nullptr);
    json["final_logit_softcapping"] = c.final_softcap ? Json(*c.final_softcap) : Json(nullptr);
  }
  if (c.sliding_layers.empty()) return json;
  json["sliding_window"] = c.sliding_window;
  if (c.family == "qwen2") json["use_sliding_window"] = true;
  Json types = Json::array();
  for (const bool sliding : c.sliding_layers)
    types.push_back(sliding ? "sliding_attention" : "full_attention");
  json["layer_types"] = types;
  return json;
}

}  // namespace

TransformerConfig config_from_json(const Json& json, const std::string& where) {
  const Reader reader(json, where);
  const auto type = reader.text("model_type");
  if (type == "gemma3" && reader.has("text_config")) {
    Json text = json["text_config"];
    if (!text.is_object()) reader.refuse("text_config", "a JSON object");
    text["model_type"] = "gemma3_text";
    for (const char* key : {"eos_token_id", "tie_word_embeddings"}) {
      if (!text.contains(key) && json.contains(key)) text[key] = json[key];
    }
    return config_from_json(text, where + ": text_config");
  }
  const std::vector<std::string> known = {"llama", "qwen2", "gpt2", "gemma3_text"};
  if (std::find(known.begin(), known.end(), type) == known.end())
    fail(ErrorKind::value, where,
         fmt::format("model_type '{}' is not supported{}", type, suggestion(type, known)));
  auto c = type == "gpt2" ? read_gpt2(reader) : read_rotary(reader, type == "gemma3_text" ? "gemma3" : type);
  c.tied = reader.flag("tie_word_embeddings", c.is_gpt2() || c.is_gemma());
  read_eos(reader, c);
  check_config(c, where);
  return c;
}

Json config_to_json(const TransformerConfig& c, const std::string& dtype) {
  Json json = c.is_gpt2() ? gpt2_to_json(c) : rotary_to_json(c);
  json["tie_word_embeddings"] = c.tied;
  if (c.eos_ids.size() == 1) json["eos_token_id"] = c.eos_ids.front();
  if (c.eos_ids.size() > 1) json["eos_token_id"] = c.eos_ids;
  json["dtype"] = dtype;
  return json;
}

}  // namespace plaudit
