#include "plaudit/model/transformer.h"

#include <ATen/ATen.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/rng.h"
#include "plaudit/model/layers.h"
#include "plaudit/model/token_logps.h"
#include "plaudit/model/weights.h"

namespace plaudit {
namespace {

const Tensor& embedding_of(const TransformerConfig& config, const std::map<std::string, Tensor>& weights) {
  return weights.at(config.is_gpt2() ? "transformer.wte.weight" : "model.embed_tokens.weight");
}

// The residual stream at the first layer, [N, hidden] f32.
Tensor embed(const TransformerConfig& config, const std::map<std::string, Tensor>& weights, const Tensor& ids,
             const Tensor& positions) {
  const auto& table = embedding_of(config, weights);
  const auto wide = table.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  auto x = at::embedding(table, ids).to(wide);
  if (config.is_gpt2()) return x + at::embedding(weights.at("transformer.wpe.weight"), positions);
  if (config.embedding_scale == 1) return x;
  // bf16 models were trained with the scale in bf16.
  const bool rounded = table.scalar_type() == at::kBFloat16;
  return x * (rounded ? static_cast<double>(
                            static_cast<float>(c10::BFloat16(static_cast<float>(config.embedding_scale))))
                      : config.embedding_scale);
}

void check_batch(const TransformerConfig& config, const PackedBatch& batch) {
  const Check check("transformer");
  check.not_empty("ids", batch.ids);
  check.dim("ids", batch.ids, 1);
  check.same_shape("ids", batch.ids, "positions", batch.positions);
  check.index_range("ids", batch.ids, 0, config.vocab);
  check.index_range("positions", batch.positions, 0, config.is_gpt2() ? config.context : int64_t{1} << 31);
}

}  // namespace

std::shared_ptr<Transformer> Transformer::random(const TransformerConfig& config, uint64_t seed) {
  check_config(config, "transformer");
  auto model = std::make_shared<Transformer>();
  model->config_ = config;
  const Rng rng(seed, "transformer");
  for (const auto& spec : weight_table(config)) {
    auto& weight = model->weights_[spec.name];
    if (spec.role == WeightRole::bias) {
      weight = at::zeros(spec.sizes);
    } else if (spec.role == WeightRole::norm) {
      weight = at::full(spec.sizes, config.norm_unit_offset ? 0.0 : 1.0);
    } else {
      weight = rng.child(spec.name).normal_tensor(spec.sizes).mul_(0.02);
    }
  }
  return model;
}

at::Device Transformer::device() const {
  return weights_.begin()->second.device();
}

at::ScalarType Transformer::compute_dtype() const {
  if (precision_ != Precision::f32) return at::kBFloat16;
  return weights_.begin()->second.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

const Tensor& Transformer::head_weight() const {
  return config_.tied ? embedding_of(config_, weights_) : weights_.at("lm_head.weight");
}

Tensor Transformer::hidden(const PackedBatch& batch, bool use_adapter) const {
  check_batch(config_, batch);
  const auto context =
      std::make_shared<const LayerContext>(make_context(config_, batch, compute_dtype(), device()));
  auto x = embed(config_, weights_, batch.ids.to(device()), batch.positions.to(device()));
  const bool checkpoint = gradient_checkpointing_ && at::GradMode::is_enabled();
  for (int64_t i = 0; i < config_.layers; ++i) {
    const auto layer = make_layer(config_, weights_, use_adapter ? &lora_ : nullptr, i, dropout_key_);
    x = checkpoint ? run_layer_checkpointed(layer, context, x) : run_layer(layer, *context, x);
  }
  const std::string last = config_.is_gpt2() ? "transformer.ln_f" : "model.norm";
  const auto bias = weights_.find(last + ".bias");
  return apply_norm(x,
                    {weights_.at(last + ".weight"), bias == weights_.end() ? Tensor() : bias->second,
                     config_.norm_eps, config_.norm_unit_offset},
                    x.scalar_type());
}

Tensor Transformer::logits(const Tensor& hidden_rows) const {
  const auto wide = compute_dtype() == at::kDouble ? at::kDouble : at::kFloat;
  const auto z =
      project({hidden_rows, {}, {}, {}}, {{head_weight(), {}, nullptr, {}}}, compute_dtype())[0].to(wide);
  return config_.final_softcap ? at::tanh(z / *config_.final_softcap) * *config_.final_softcap : z;
}

std::pair<Tensor, Tensor> Transformer::token_logps(const Tensor& hidden_rows, const Tensor& targets,
                                                   double temperature) const {
  auto scores = token_scores(hidden_rows, targets, temperature);
  return {std::move(scores.logps), std::move(scores.entropy)};
}

TokenScores Transformer::token_scores(const Tensor& hidden_rows, const Tensor& targets,
                                      double temperature) const {
  const Check check("token_logps");
  check.shape("hidden_rows", hidden_rows, {-1, config_.hidden});
  check.shape("targets", targets, {hidden_rows.size(0)});
  check.index_range("targets", targets, 0, config_.vocab);
  check.that(temperature > 0, "temperature", "> 0", temperature);
  return plaudit::token_scores(hidden_rows, head_weight(), targets.to(device()),
                               {temperature, config_.final_softcap, 1024}, compute_dtype());
}

}  // namespace plaudit
