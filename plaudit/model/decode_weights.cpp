#include "plaudit/model/decode_weights.h"

#include <ATen/ATen.h>

#include "plaudit/core/errors.h"
#include "plaudit/model/fused_rows.h"
#include "plaudit/model/rope.h"
#include "plaudit/model/weights.h"

namespace plaudit::decode {
namespace {

template <class T>
class Packer {
 public:
  Packer(const TransformerConfig& config, const WeightSource& source) : c_(config), source_(source) {}

  ModelWeights<T> model() const {
    const std::string top = c_.is_gpt2() ? "transformer." : "model.";
    const auto embedding = need(top + (c_.is_gpt2() ? "wte.weight" : "embed_tokens.weight"));
    ModelWeights<T> m;
    m.config = c_;
    m.act = act_of(activation_from(c_.activation, "activation"));
    m.gated = !c_.is_gpt2();
    m.score_scale = static_cast<float>(c_.score_scale());
    m.config.embedding_scale = embedding_scale(c_, embedding.scalar_type());
    m.head = PackedMatrix<T>(c_.tied ? embedding : need("lm_head.weight"));
    if (!c_.tied) m.embedding = PackedMatrix<T>(embedding);
    if (c_.is_gpt2()) {
      m.positions = as_f32(need("transformer.wpe.weight"));
    } else {
      m.frequencies = rope_frequencies(c_, false);
      m.local_frequencies = rope_frequencies(c_, true);
    }
    m.final_norm = norm(top + (c_.is_gpt2() ? "ln_f" : "norm"));
    for (int64_t i = 0; i < c_.layers; ++i) {
      m.layers.push_back(c_.is_gpt2() ? gpt2_layer(layer_prefix(c_, i)) : rotary_layer(layer_prefix(c_, i)));
      m.layers.back().window = c_.window(i);
      m.layers.back().local = c_.window(i) > 0;
    }
    return m;
  }

 private:
  at::Tensor need(const std::string& name) const {
    auto weight = source_(name);
    if (!weight.defined()) bug("decode", "the model has no weight " + name);
    return weight.detach();
  }
  at::Tensor bias(const std::string& layer) const {
    const auto found = source_(layer + ".bias");
    return found.defined() ? found.detach() : found;
  }
  // Own copies: a norm must not change when training changes the model.
  static at::Tensor as_f32(const at::Tensor& t) {
    return t.to(at::TensorOptions(at::kCPU).dtype(at::kFloat), false, true).contiguous();
  }

  NormWeights norm(const std::string& name) const {
    const auto shift = bias(name);
    return {as_f32(need(name + ".weight")) + (c_.norm_unit_offset ? 1 : 0),
            shift.defined() ? as_f32(shift) : at::Tensor()};
  }
  PackedMatrix<T> matrix(const std::string& name) const {
    return PackedMatrix<T>(need(name + ".weight"), bias(name));
  }

  LayerWeights<T> gpt2_layer(const std::string& p) const {
    LayerWeights<T> layer;
    layer.norm1 = norm(p + "ln_1");
    layer.qkv = matrix(p + "attn.c_attn");
    layer.o = matrix(p + "attn.c_proj");
    layer.norm2 = norm(p + "ln_2");
    layer.up = matrix(p + "mlp.c_fc");
    layer.down = matrix(p + "mlp.c_proj");
    return layer;
  }

  LayerWeights<T> rotary_layer(const std::string& p) const {
    LayerWeights<T> layer;
    layer.norm1 = norm(p + "input_layernorm");
    std::vector<at::Tensor> weights, biases;
    for (const char* part : {"q_proj", "k_proj", "v_proj"}) {
      const auto name = p + "self_attn." + part;
      weights.push_back(need(name + ".weight"));
      if (const auto b = bias(name); b.defined()) biases.push_back(b);
    }
    layer.qkv = PackedMatrix<T>(at::cat(weights), biases.empty() ? at::Tensor() : at::cat(biases));
    layer.o = matrix(p + "self_attn.o_proj");
    layer.up = PackedMatrix<T>::gated(need(p + "mlp.gate_proj.weight"), need(p + "mlp.up_proj.weight"),
                                      bias(p + "mlp.gate_proj"), bias(p + "mlp.up_proj"));
    layer.down = matrix(p + "mlp.down_proj");
    if (!c_.is_gemma()) {
      layer.norm2 = norm(p + "post_attention_layernorm");
      return layer;
    }
    layer.q_norm = norm(p + "self_attn.q_norm");
    layer.k_norm = norm(p + "self_attn.k_norm");
    layer.post_attention = norm(p + "post_attention_layernorm");
    layer.norm2 = norm(p + "pre_feedforward_layernorm");
    layer.post_mlp = norm(p + "post_feedforward_layernorm");
    return layer;
  }

  const TransformerConfig& c_;
  const WeightSource& source_;
};

}  // namespace

double embedding_scale(const TransformerConfig& config, at::ScalarType stored) {
  const auto scale = config.embedding_scale;
  return stored == at::kBFloat16 ? static_cast<float>(c10::BFloat16(static_cast<float>(scale))) : scale;
}

template <class T>
ModelWeights<T> pack_weights(const TransformerConfig& config, const WeightSource& source) {
  return Packer<T>(config, source).model();
}

template ModelWeights<float> pack_weights(const TransformerConfig&, const WeightSource&);
template ModelWeights<Bf16> pack_weights(const TransformerConfig&, const WeightSource&);

}  // namespace plaudit::decode
