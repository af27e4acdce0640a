#include "plaudit/model/weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/dequantize.h"

namespace plaudit {
namespace {

using Sizes = std::vector<int64_t>;

class Table {
 public:
  explicit Table(const TransformerConfig& config) : c_(config) {}

  std::vector<WeightSpec> build() {
    const auto d = c_.hidden;
    const std::string top = c_.is_gpt2() ? "transformer." : "model.";
    add(top + (c_.is_gpt2() ? "wte" : "embed_tokens"), "token_embd", {c_.vocab, d}, WeightRole::embedding);
    if (c_.is_gpt2()) add(top + "wpe", "position_embd", {c_.context, d}, WeightRole::embedding);
    for (int64_t i = 0; i < c_.layers; ++i) {
      hf_ = layer_prefix(c_, i);
      gguf_ = fmt::format("blk.{}.", i);
      layer_ = i;
      c_.is_gpt2() ? gpt2_layer() : rotary_layer();
    }
    hf_ = gguf_ = "";
    layer_ = -1;
    norm(top + (c_.is_gpt2() ? "ln_f" : "norm"), "output_norm", d);
    if (!c_.tied) add("lm_head", "output", {c_.vocab, d}, WeightRole::matrix);
    return std::move(table_);
  }

 private:
  WeightSpec& add(const std::string& name, const std::string& gguf, Sizes sizes, WeightRole role,
                  const char* suffix = ".weight") {
    return table_.emplace_back(
        WeightSpec{hf_ + name + suffix, gguf_ + gguf + suffix, std::move(sizes), role, layer_});
  }
  void norm(const std::string& name, const std::string& gguf, int64_t size) {
    add(name, gguf, {size}, WeightRole::norm);
    if (c_.is_gpt2()) add(name, gguf, {size}, WeightRole::bias, ".bias");
  }
  void matrix(const std::string& name, const std::string& gguf, int64_t out, int64_t in, bool bias,
              int64_t rotary_heads = 0) {
    auto& weight = add(name, gguf, {out, in}, WeightRole::matrix);
    weight.rotary_heads = rotary_heads;
    weight.conv1d = c_.is_gpt2();
    if (bias) add(name, gguf, {out}, WeightRole::bias, ".bias").rotary_heads = rotary_heads;
  }

  void gpt2_layer() {
    const auto d = c_.hidden;
    norm("ln_1", "attn_norm", d);
    matrix("attn.c_attn", "attn_qkv", 3 * d, d, true);
    matrix("attn.c_proj", "attn_output", d, d, true);
    norm("ln_2", "ffn_norm", d);
    matrix("mlp.c_fc", "ffn_up", c_.ffn, d, true);
    matrix("mlp.c_proj", "ffn_down", d, c_.ffn, true);
  }

  void rotary_layer() {
    const auto d = c_.hidden, q = c_.heads * c_.head_dim, kv = c_.kv_heads * c_.head_dim;
    const bool permuted = c_.family == "llama";
    norm("input_layernorm", "attn_norm", d);
    matrix("self_attn.q_proj", "attn_q", q, d, c_.qkv_bias, permuted ? c_.heads : 0);
    matrix("self_attn.k_proj", "attn_k", kv, d, c_.qkv_bias, permuted ? c_.kv_heads : 0);
    matrix("self_attn.v_proj", "attn_v", kv, d, c_.qkv_bias);
    matrix("self_attn.o_proj", "attn_output", d, q, c_.o_bias);
    if (c_.is_gemma()) {
      norm("self_attn.q_norm", "attn_q_norm", c_.head_dim);
      norm("self_attn.k_norm", "attn_k_norm", c_.head_dim);
      norm("post_attention_layernorm", "post_attention_norm", d);
      norm("pre_feedforward_layernorm", "ffn_norm", d);
      norm("post_feedforward_layernorm", "post_ffw_norm", d);
    } else {
      norm("post_attention_layernorm", "ffn_norm", d);
    }
    matrix("mlp.gate_proj", "ffn_gate", c_.ffn, d, c_.mlp_bias);
    matrix("mlp.up_proj", "ffn_up", c_.ffn, d, c_.mlp_bias);
    matrix("mlp.down_proj", "ffn_down", d, c_.ffn, c_.mlp_bias);
  }

  const TransformerConfig& c_;
  std::string hf_, gguf_;
  int64_t layer_ = -1;
  std::vector<WeightSpec> table_;
};

// Tensors that may stand in a folder beside the transformer's own.
bool belongs_elsewhere(const std::string& name) {
  for (const char* part : {"vision_tower.", "multi_modal_projector.", "rotary_emb.", ".attn.bias",
                           ".attn.masked_bias", "lm_head.", "score.", "v_head."}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

// The full name of a tensor of a folder, whose writer may have left out or added outer prefixes.
std::string full_name(const TransformerConfig& config, std::string name) {
  for (const std::string outer : {"language_model.model.", "model.language_model."}) {
    if (name.rfind(outer, 0) == 0) return "model." + name.substr(outer.size());
  }
  if (name.rfind("language_model.lm_head.", 0) == 0)
    return name.substr(std::string("language_model.").size());
  const std::string top = config.is_gpt2() ? "transformer." : "model.";
  const bool inside = name.rfind(top, 0) == 0 || name.rfind("lm_head.", 0) == 0;
  return inside || belongs_elsewhere(name) ? name : top + name;
}

void check_sizes(const std::string& where, const std::string& name, at::IntArrayRef actual,
                 const Sizes& expected) {
  if (actual == at::IntArrayRef(expected)) return;
  fail(ErrorKind::shape, where,
       fmt::format("{} has shape [{}], but the configuration asks for [{}]", name,
                   fmt::join(actual.vec(), ", "), fmt::join(expected, ", ")));
}

Sizes stored_sizes(const WeightSpec& spec) {
  return spec.conv1d ? Sizes(spec.sizes.rbegin(), spec.sizes.rend()) : spec.sizes;
}

// Between the row orders of GGUF and Hugging Face; biases as columns.
at::Tensor reorder(at::Tensor (*rows)(const at::Tensor&, int64_t), const at::Tensor& t, int64_t heads) {
  return t.dim() == 1 ? rows(t.unsqueeze(1), heads).squeeze(1) : rows(t, heads);
}

}  // namespace

std::vector<WeightSpec> weight_table(const TransformerConfig& config) {
  return Table(config).build();
}

std::string layer_prefix(const TransformerConfig& config, int64_t layer) {
  return fmt::format("{}{}.", config.is_gpt2() ? "transformer.h." : "model.layers.", layer);
}

WeightMap weights_from_hf(const TransformerConfig& config, const std::map<std::string, at::Tensor>& tensors,
                          at::ScalarType dtype, const std::string& where) {
  std::map<std::string, at::Tensor> named;
  for (const auto& [name, tensor] : tensors) named[full_name(config, name)] = tensor;
  WeightMap weights;
  for (const auto& spec : weight_table(config)) {
    const auto found = named.find(spec.name);
    if (found == named.end()) fail(ErrorKind::value, where, fmt::format("tensor {} is missing", spec.name));
    check_sizes(where, spec.name, found->second.sizes(), stored_sizes(spec));
    if (!found->second.is_floating_point())
      fail(ErrorKind::type, where, fmt::format("tensor {} must hold floating-point numbers", spec.name));
    auto tensor = found->second.to(dtype);
    weights[spec.name] = spec.conv1d && spec.role == WeightRole::matrix ? tensor.t().contiguous() : tensor;
    named.erase(found);
  }
  for (const auto& [name, tensor] : named) {
    if (!belongs_elsewhere(name))
      fail(ErrorKind::value, where,
           fmt::format("tensor {} is not part of a {} model of this configuration", name, config.family));
  }
  return weights;
}

WeightMap weights_from_gguf(const TransformerConfig& config, const GgufFile& file, at::ScalarType dtype) {
  WeightMap weights;
  std::map<std::string, bool> used = {{"rope_freqs.weight", true}, {"output.weight", true}};
  for (const auto& spec : weight_table(config)) {
    if (!file.has(spec.gguf))
      fail(ErrorKind::value, file.path(), fmt::format("tensor {} is missing", spec.gguf));
    check_sizes(file.path(), spec.gguf, file.sizes(spec.gguf), spec.sizes);
    const bool offset = config.norm_unit_offset && spec.role == WeightRole::norm;
    auto tensor = file.tensor(spec.gguf, offset ? at::kFloat : dtype);
    if (offset) tensor = (tensor - 1).to(dtype);
    if (spec.rotary_heads > 0) tensor = reorder(&unpermute_rope, tensor, spec.rotary_heads).contiguous();
    weights[spec.name] = tensor;
    used[spec.gguf] = true;
  }
  for (const auto& name : file.names()) {
    if (!used.contains(name))
      fail(ErrorKind::value, file.path(),
           fmt::format("tensor {} is not part of a {} model of this configuration", name, config.family));
  }
  return weights;
}

std::map<std::string, at::Tensor> weights_to_hf(const TransformerConfig& config, const WeightMap& weights) {
  std::map<std::string, at::Tensor> out;
  for (const auto& spec : weight_table(config)) {
    const auto tensor = weights.at(spec.name).detach();
    out[spec.name] = spec.conv1d && spec.role == WeightRole::matrix ? tensor.t() : tensor;
  }
  return out;
}

std::map<std::string, at::Tensor> weights_to_gguf(const TransformerConfig& config, const WeightMap& weights) {
  std::map<std::string, at::Tensor> out;
  for (const auto& spec : weight_table(config)) {
    auto tensor = weights.at(spec.name).detach();
    // Readers of GGUF expect vectors in f32, and the added 1 would cost a bf16 norm its precision.
    if (tensor.dim() == 1) tensor = tensor.to(at::kFloat);
    if (config.norm_unit_offset && spec.role == WeightRole::norm) tensor = tensor + 1;
    if (spec.rotary_heads > 0) tensor = reorder(&permute_rope, tensor, spec.rotary_heads);
    out[spec.gguf] = tensor;
  }
  return out;
}

}  // namespace plaudit
