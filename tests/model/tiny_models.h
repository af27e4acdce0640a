// Small random models of every family, for tests.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "plaudit/core/errors.h"
#include "plaudit/model/transformer.h"

namespace plaudit::testing {

inline const std::vector<std::string> kFamilies = {"llama", "qwen2", "gpt2", "gemma3"};

// 2 layers, width 32; Gemma: 6 layers with a window of 5, so that both kinds of layers and the window matter.
inline TransformerConfig tiny_config(const std::string& family) {
  TransformerConfig c;
  c.family = family;
  c.vocab = 101;
  c.hidden = 32;
  c.layers = 2;
  c.heads = 4;
  c.kv_heads = family == "gpt2" ? 4 : 2;
  c.head_dim = 8;
  c.ffn = 48;
  c.context = 512;
  if (family == "llama") c.tied = false;
  if (family == "qwen2") c.qkv_bias = true;
  if (family == "gpt2") {
    c.qkv_bias = c.o_bias = c.mlp_bias = true;
    c.activation = "gelu_tanh";
  }
  if (family == "gemma3") {
    c.layers = 6;
    c.kv_heads = 1;
    c.head_dim = 12;
    c.activation = "gelu_tanh";
    c.rope_theta = 1e6;
    c.embedding_scale = std::sqrt(32.0);
    c.norm_unit_offset = true;
    c.sliding_window = 5;
    c.sliding_layers = {true, true, true, true, true, false};
  }
  return c;
}

// Random weights large enough that logits differ clearly: biases, norms and matrices all matter.
inline std::shared_ptr<Transformer> tiny_model(const std::string& family, uint64_t seed = 3) {
  auto model = Transformer::random(tiny_config(family), seed);
  const Rng rng(seed, "tiny");
  for (const auto& [name, weight] : model->weights())
    weight.add_(rng.child(name).normal_tensor(weight.sizes()), weight.dim() == 1 ? 0.3 : 0.25);
  return model;
}

}  // namespace plaudit::testing
