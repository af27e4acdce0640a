// One block of a decoder-only transformer: x += attn(norm1 x); x += mlp(norm2 x).
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/model/attention.h"
#include "plaudit/model/config.h"
#include "plaudit/model/project.h"

namespace plaudit {

// The tensors of one layer by role. q, k and v are one projection in GPT-2, three elsewhere; `inner` is the
// MLP's gate and up, or its only inner projection in GPT-2.
struct Layer {
  Norm attention_norm, mlp_norm;
  std::optional<Norm> q_norm, k_norm;                      // per head, before rotation
  std::optional<Norm> attention_post_norm, mlp_post_norm;  // on a branch's result
  std::vector<Projection> qkv, inner;
  Projection o, down;
  Activation activation = Activation::silu;
  bool sliding = false;

  // The tensors that want a gradient.
  std::vector<at::Tensor> parameters() const;
};

// Points into `weights` and `lora` (null: without adapter), which must outlive the layer. `dropout_key`:
// adapter dropout, different in every projection; none: no dropout.
Layer make_layer(const TransformerConfig& config, const std::map<std::string, at::Tensor>& weights,
                 const std::map<std::string, LoraLayer>* lora, int64_t index,
                 std::optional<uint64_t> dropout_key);

// What all layers of one forward pass share.
struct LayerContext {
  int64_t heads = 0, kv_heads = 0, head_dim = 0;
  at::ScalarType compute = at::kFloat;  // of products and branches; the residual stream is f32
  std::shared_ptr<const AttentionPlan> full_plan, sliding_plan;
  AttentionOptions full, sliding;
};

LayerContext make_context(const TransformerConfig& config, const PackedBatch& batch, at::ScalarType compute,
                          at::Device device);

// x [N, hidden] -> [N, hidden].
at::Tensor run_layer(const Layer& layer, const LayerContext& context, const at::Tensor& x);

// The same, storing x alone: the layer runs again in the backward pass.
at::Tensor run_layer_checkpointed(const Layer& layer, const std::shared_ptr<const LayerContext>& context,
                                  const at::Tensor& x);

}  // namespace plaudit
