// The weights of a transformer, packed for decoding. All four families are the same layer with parts left
// out.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "plaudit/model/decode_linear.h"
#include "plaudit/model/decode_model.h"

namespace plaudit::decode {

struct NormWeights {
  at::Tensor weight, bias;  // f32; undefined where the family has none
  bool defined() const { return weight.defined(); }
};

template <class T>
struct LayerWeights {
  NormWeights norm1, q_norm, k_norm, post_attention, norm2, post_mlp;
  PackedMatrix<T> qkv, o, up, down;  // `up`: gates and ups in turns where the MLP is gated
  int64_t window = 0;
  bool local = false;  // uses the local rotary frequencies
};

template <class T>
struct ModelWeights {
  TransformerConfig config;
  Act act = Act::silu;
  bool gated = true;
  float score_scale = 1;
  PackedMatrix<T> head, embedding;            // `embedding` is empty when tied
  at::Tensor positions;                       // learned, [context, hidden] f32; undefined with rotary ones
  at::Tensor frequencies, local_frequencies;  // rotary, [head_dim/2] f64
  NormWeights final_norm;
  std::vector<LayerWeights<T>> layers;
};

template <class T>
ModelWeights<T> pack_weights(const TransformerConfig& config, const WeightSource& source);

}  // namespace plaudit::decode
