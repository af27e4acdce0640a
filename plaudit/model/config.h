// What distinguishes one decoder-only transformer from another, read from a Hugging Face config.json or from
// the metadata of a GGUF file.
//
// Errors are UserErrors that start with the file (or the `where` that the caller gives) and name the key.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace plaudit {

using Json = nlohmann::ordered_json;

// How the rotary frequencies inv_j = theta^(-2j/d) are stretched for longer contexts.
struct RopeScaling {
  std::string
      type;  // "", "linear" (inv/factor), "llama3" (blended by wavelength), "factors" (inv_j/factors[j])
  double factor = 1, low_freq_factor = 1, high_freq_factor = 4;
  int64_t original_context = 8192;
  std::vector<double> factors;  // one per pair
};

struct TransformerConfig {
  std::string family;  // "llama", "qwen2", "gpt2", "gemma3"
  int64_t vocab = 0, hidden = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0, context = 0;
  double norm_eps = 1e-5;
  double rope_theta = 10000, rope_local_theta = 10000;  // of full and of sliding layers
  RopeScaling rope_scaling;                             // of full layers
  bool qkv_bias = false, o_bias = false, mlp_bias = false, tied = true;
  std::string activation = "silu";   // of the MLP: silu, gelu, gelu_tanh, quick_gelu
  double attention_scale = 0;        // 0: head_dim^-0.5
  int64_t sliding_window = 0;        // 0: none
  std::vector<bool> sliding_layers;  // per layer; empty: none
  double embedding_scale = 1;
  bool norm_unit_offset = false;  // norm weights stored as w, used as 1 + w
  std::optional<double> attention_softcap, final_softcap;
  std::vector<int64_t> eos_ids;

  bool is_gpt2() const { return family == "gpt2"; }     // LayerNorm, learned positions, MLP without a gate
  bool is_gemma() const { return family == "gemma3"; }  // norms on q and k, and after both branches
  // Keys that layer i shows a query: itself and those before it, at most this many; 0: all.
  int64_t window(int64_t layer) const;
  double score_scale() const;  // of q.k
};

// Both styles of config.json: rope_theta, rope_scaling and sliding_window_pattern, or rope_parameters and
// layer_types; a text_config inside is followed.
TransformerConfig config_from_json(const Json& json, const std::string& where);

// Keys A.block_count and so on, A being general.architecture. GGUF files name neither the vocabulary's size
// nor whether the head is tied: `vocab` comes from the embedding, `tied` from the absence of output.weight.
TransformerConfig config_from_gguf(const Json& metadata, int64_t vocab, bool tied, const std::string& where);

// config.json as transformers 5 writes and reads it. `dtype`: "float32" or "bfloat16".
Json config_to_json(const TransformerConfig& config, const std::string& dtype);

// The metadata of a GGUF file of this model, without its tokenizer.
Json config_to_gguf(const TransformerConfig& config);

// Refuses sizes that no model can have (kind value, naming the key).
void check_config(const TransformerConfig& config, const std::string& where);

}  // namespace plaudit
