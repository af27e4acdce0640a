// Transformers to folders and files.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/core/errors.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/model/rope.h"
#include "plaudit/model/transformer.h"
#include "plaudit/model/weights.h"

namespace plaudit {
namespace {

const char* dtype_name(at::ScalarType dtype) {
  return dtype == at::kBFloat16 ? "bfloat16" : dtype == at::kDouble ? "float64" : "float32";
}

// A GGUF file has no room for these; writing it would change the model.
void check_fits_gguf(const TransformerConfig& c, const std::string& path) {
  const auto require = [&](bool ok, const std::string& what) {
    if (!ok)
      fail(ErrorKind::value, path, fmt::format("a GGUF file of family {} cannot hold {}", c.family, what));
  };
  const bool erf = c.is_gpt2() || c.is_gemma();
  require(c.activation == (erf ? "gelu_tanh" : "silu"), "the activation " + c.activation);
  require(std::abs(c.score_scale() * std::sqrt(static_cast<double>(c.head_dim)) - 1) < 1e-9,
          "an attention scale other than head_dim^-0.5");
  require(c.qkv_bias == (c.is_gpt2() || c.family == "qwen2") && c.o_bias == c.is_gpt2() &&
              c.mlp_bias == c.is_gpt2(),
          "these biases");
  require(c.is_gemma() || c.sliding_layers.empty(), "sliding layers");
  require(c.is_gpt2() || c.is_gemma() || c.rope_local_theta == c.rope_theta, "two rotary bases");
  if (!c.is_gemma()) return;
  require(c.rope_local_theta == 10000, fmt::format("a local rotary base of {}", c.rope_local_theta));
  for (int64_t i = 0; i < c.layers; ++i)
    require(c.sliding_window > 0 && (c.window(i) > 0) == ((i + 1) % 6 != 0),
            "a pattern of sliding layers other than 5 of 6");
}

}  // namespace

void Transformer::save(const std::string& folder) const {
  create_folder(folder);
  WeightMap merged;
  for (const auto& [name, weight] : weights_) merged[name] = merged_weight(name);
  save_safetensors(folder + "/model.safetensors", weights_to_hf(config_, merged));
  if (!config_.eos_ids.empty()) {
    const Json eos = config_.eos_ids.size() == 1 ? Json(config_.eos_ids[0]) : Json(config_.eos_ids);
    write_json(folder + "/generation_config.json", {{"eos_token_id", eos}});
  }
  // Last, so that a folder with a config.json is whole.
  write_json(folder + "/config.json",
             config_to_json(config_, dtype_name(weights_.begin()->second.scalar_type())));
}

void Transformer::save_gguf(const std::string& path, const Json& metadata) const {
  check_fits_gguf(config_, path);
  WeightMap merged;
  for (const auto& [name, weight] : weights_) {
    const auto w = merged_weight(name);
    merged[name] = w.scalar_type() == at::kDouble ? w.to(at::kFloat) : w;
  }
  auto tensors = weights_to_gguf(config_, merged);
  const auto& scaling = config_.rope_scaling.type;
  if (scaling == "llama3" || scaling == "factors") {
    auto plain = config_;
    plain.rope_scaling = {};
    tensors["rope_freqs.weight"] =
        (rope_frequencies(plain, false) / rope_frequencies(config_, false)).to(at::kFloat);
  }
  Json keys = config_to_gguf(config_);
  if (config_.eos_ids.size() == 1) keys["tokenizer.ggml.eos_token_id"] = config_.eos_ids[0];
  for (const auto& [key, value] : metadata.items()) keys[key] = value;
  plaudit::save_gguf(path, keys, tensors);
}

}  // namespace plaudit
