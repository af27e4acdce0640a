#include "plaudit/model/layers.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "plaudit/core/errors.h"
#include "plaudit/core/rng.h"
#include "plaudit/model/weights.h"

namespace plaudit {
namespace {

using at::Tensor;

// Looks up the tensors of one layer by the names of its modules.
class LayerBuilder {
 public:
  LayerBuilder(const TransformerConfig& config, const std::map<std::string, Tensor>& weights,
               const std::map<std::string, LoraLayer>* lora, int64_t index, std::optional<uint64_t> key)
      : config_(config), weights_(weights), lora_(lora), prefix_(layer_prefix(config, index)), key_(key) {}

  Norm norm(const std::string& module) const {
    return {weights_.at(prefix_ + module + ".weight"), find(module + ".bias"), config_.norm_eps,
            config_.norm_unit_offset};
  }

  Projection projection(const std::string& module) const {
    const auto name = prefix_ + module + ".weight";
    Projection p{weights_.at(name), find(module + ".bias"), nullptr, {}};
    if (lora_ == nullptr) return p;
    const auto found = lora_->find(name);
    if (found == lora_->end()) return p;
    p.lora = &found->second;
    if (key_) p.dropout_key = Rng(*key_, name).next();
    return p;
  }

 private:
  Tensor find(const std::string& name) const {
    const auto found = weights_.find(prefix_ + name);
    return found == weights_.end() ? Tensor() : found->second;
  }

  const TransformerConfig& config_;
  const std::map<std::string, Tensor>& weights_;
  const std::map<std::string, LoraLayer>* lora_;
  std::string prefix_;
  std::optional<uint64_t> key_;
};

// Branch results go back to the residual stream through this.
Tensor add_branch(const Tensor& x, Tensor branch, const std::optional<Norm>& post) {
  if (post) branch = apply_norm(branch, *post, branch.scalar_type());
  return x + branch;
}

Tensor attention_branch(const Layer& layer, const LayerContext& c, const Tensor& x) {
  auto projected = project({x, layer.attention_norm, {}, {}}, layer.qkv, c.compute);
  if (projected.size() == 1) projected = at::chunk(projected[0], 3, 1);
  const auto heads = [&](const Tensor& t) { return t.view({t.size(0), -1, c.head_dim}); };
  auto q = heads(projected[0]), k = heads(projected[1]);
  if (layer.q_norm) q = apply_norm(q, *layer.q_norm, c.compute);
  if (layer.k_norm) k = apply_norm(k, *layer.k_norm, c.compute);
  const auto out = packed_attention(q, k, heads(projected[2]), layer.sliding ? c.sliding_plan : c.full_plan,
                                    layer.sliding ? c.sliding : c.full);
  return project({out.flatten(1), {}, {}, {}}, {layer.o}, c.compute)[0];
}

Tensor mlp_branch(const Layer& layer, const LayerContext& c, const Tensor& x) {
  const auto inner = project({x, layer.mlp_norm, {}, {}}, layer.inner, c.compute);
  return project({inner[0], {}, layer.activation, inner.size() > 1 ? inner[1] : Tensor()}, {layer.down},
                 c.compute)[0];
}

struct CheckpointHolder : torch::CustomClassHolder {
  CheckpointHolder(Layer l, std::shared_ptr<const LayerContext> c)
      : layer(std::move(l)), context(std::move(c)) {}
  Layer layer;
  std::shared_ptr<const LayerContext> context;
};

class Checkpoint : public torch::autograd::Function<Checkpoint> {
 public:
  // `tensors`: x, then the layer's parameters.
  static Tensor forward(torch::autograd::AutogradContext* ctx, at::TensorList tensors,
                        const c10::intrusive_ptr<CheckpointHolder>& holder) {
    ctx->save_for_backward({tensors[0]});
    ctx->saved_data["layer"] = c10::IValue::make_capsule(holder);
    return run_layer(holder->layer, *holder->context, tensors[0]);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto capsule = ctx->saved_data["layer"].toCapsule();
    const auto& holder = *static_cast<const CheckpointHolder*>(capsule.get());
    at::AutoGradMode enable(true);
    const bool need_x = ctx->needs_input_grad(0);
    const auto x = ctx->get_saved_variables()[0].detach().requires_grad_(need_x);
    const auto y = run_layer(holder.layer, *holder.context, x);
    auto inputs = holder.layer.parameters();
    if (need_x) inputs.insert(inputs.begin(), x);
    auto out = torch::autograd::grad({y}, inputs, grads, false, false, true);
    if (!need_x) out.insert(out.begin(), Tensor());
    out.emplace_back();
    return out;
  }
};

}  // namespace

std::vector<Tensor> Layer::parameters() const {
  std::vector<Tensor> out;
  const auto add = [&](const Tensor& t) {
    if (t.defined() && t.requires_grad()) out.push_back(t);
  };
  const auto add_norm = [&](const Norm& n) {
    add(n.weight);
    add(n.bias);
  };
  const auto add_projection = [&](const Projection& p) {
    add(p.weight);
    add(p.bias);
    if (p.lora == nullptr) return;
    add(p.lora->a);
    add(p.lora->b);
  };
  add_norm(attention_norm);
  add_norm(mlp_norm);
  for (const auto* norm : {&q_norm, &k_norm, &attention_post_norm, &mlp_post_norm}) {
    if (*norm) add_norm(**norm);
  }
  for (const auto& p : qkv) add_projection(p);
  for (const auto& p : inner) add_projection(p);
  add_projection(o);
  add_projection(down);
  return out;
}

Layer make_layer(const TransformerConfig& config, const std::map<std::string, Tensor>& weights,
                 const std::map<std::string, LoraLayer>* lora, int64_t index,
                 std::optional<uint64_t> dropout_key) {
  const LayerBuilder b(config, weights, lora, index, dropout_key);
  Layer layer;
  layer.activation = activation_from(config.activation, "activation");
  layer.sliding = config.window(index) > 0;
  if (config.is_gpt2()) {
    layer.attention_norm = b.norm("ln_1");
    layer.mlp_norm = b.norm("ln_2");
    layer.qkv = {b.projection("attn.c_attn")};
    layer.o = b.projection("attn.c_proj");
    layer.inner = {b.projection("mlp.c_fc")};
    layer.down = b.projection("mlp.c_proj");
    return layer;
  }
  layer.attention_norm = b.norm("input_layernorm");
  layer.mlp_norm = b.norm(config.is_gemma() ? "pre_feedforward_layernorm" : "post_attention_layernorm");
  if (config.is_gemma()) {
    layer.q_norm = b.norm("self_attn.q_norm");
    layer.k_norm = b.norm("self_attn.k_norm");
    layer.attention_post_norm = b.norm("post_attention_layernorm");
    layer.mlp_post_norm = b.norm("post_feedforward_layernorm");
  }
  layer.qkv = {b.projection("self_attn.q_proj"), b.projection("self_attn.k_proj"),
               b.projection("self_attn.v_proj")};
  layer.o = b.projection("self_attn.o_proj");
  layer.inner = {b.projection("mlp.gate_proj"), b.projection("mlp.up_proj")};
  layer.down = b.projection("mlp.down_proj");
  return layer;
}

LayerContext make_context(const TransformerConfig& config, const PackedBatch& batch, at::ScalarType compute,
                          at::Device device) {
  LayerContext c{config.heads, config.kv_heads, config.head_dim, compute, nullptr, nullptr, {}, {}};
  c.full = {config.score_scale(), config.attention_softcap, {}};
  c.sliding = c.full;
  c.full_plan = std::make_shared<const AttentionPlan>(plan_attention(batch, 0));
  if (!config.sliding_layers.empty())
    c.sliding_plan = std::make_shared<const AttentionPlan>(plan_attention(batch, config.sliding_window));
  if (config.is_gpt2()) return c;
  const auto positions = batch.positions.to(device);
  c.full.rope = rope_table(rope_frequencies(config, false), positions);
  if (c.sliding_plan) c.sliding.rope = rope_table(rope_frequencies(config, true), positions);
  return c;
}

Tensor run_layer(const Layer& layer, const LayerContext& c, const Tensor& x) {
  const auto y = add_branch(x, attention_branch(layer, c, x), layer.attention_post_norm);
  return add_branch(y, mlp_branch(layer, c, y), layer.mlp_post_norm);
}

Tensor run_layer_checkpointed(const Layer& layer, const std::shared_ptr<const LayerContext>& context,
                              const Tensor& x) {
  auto tensors = layer.parameters();
  tensors.insert(tensors.begin(), x);
  return Checkpoint::apply(at::TensorList(tensors), c10::make_intrusive<CheckpointHolder>(layer, context));
}

}  // namespace plaudit
