#include "plaudit/model/generate.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "plaudit/core/checks.h"
#include "plaudit/model/decode_kernels.h"
#include "plaudit/model/decode_schedule.h"
#include "plaudit/model/sampling.h"

namespace plaudit {
namespace {

void check_options(const SamplingOptions& options, bool has_tokenizer) {
  const Check check("generate");
  check.that(options.max_new_tokens >= 1, "max_new_tokens", ">= 1", options.max_new_tokens);
  check.that(options.per_prompt >= 1, "per_prompt", ">= 1", options.per_prompt);
  check.that(options.batch >= 1, "batch", ">= 1", options.batch);
  check_filter({options.temperature, options.top_k, options.top_p, options.min_p}, "generate");
  for (const auto& stop : options.stop)
    if (stop.empty()) check.refuse(ErrorKind::value, "stop", "holds an empty string");
  if (!options.stop.empty() && !has_tokenizer)
    check.refuse(ErrorKind::value, "stop", "needs a model with a tokenizer");
}

void check_prompts(const std::vector<std::vector<int64_t>>& prompts, int64_t vocab, int64_t context) {
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto where = fmt::format("generate: prompt {}", i);
    const auto& ids = prompts[i];
    if (ids.empty()) fail(ErrorKind::empty, where, "has no tokens");
    if (static_cast<int64_t>(ids.size()) >= context)
      fail(ErrorKind::value, where,
           fmt::format("has {} tokens, which leaves no room for an answer in the model's context of {}",
                       ids.size(), context));
    for (const auto id : ids)
      if (id < 0 || id >= vocab)
        fail(ErrorKind::value, where, fmt::format("holds token {}, expected 0 to {}", id, vocab - 1));
  }
}

std::shared_ptr<const decode::Model> decoding_model(const Transformer& transformer,
                                                    const decode::WeightSource& weights,
                                                    const std::string& precision) {
  Check("generate").choice("precision", precision, {"auto", "f32", "bf16"});
  const auto& config = transformer.config();
  const bool on_cpu = transformer.device().is_cpu();
  const bool bf16 =
      precision == "bf16" || (precision == "auto" && (!on_cpu || decode::kernels().native_bf16));
  if (!on_cpu) return decode::tensor_model(config, weights, bf16 ? at::kBFloat16 : at::kFloat);
  return bf16 ? decode::packed_model<decode::Bf16>(config, weights)
              : decode::packed_model<float>(config, weights);
}

}  // namespace

struct Generator::Impl {
  decode::Decoder decoder;
};

Generator::Generator(const LanguageModel& model, const std::string& precision, bool use_adapter,
                     std::shared_ptr<const Steering> steering)
    : impl_(std::make_unique<Impl>()) {
  const at::NoGradGuard no_grad;
  const auto& transformer = *model.transformer;
  const auto& config = transformer.config();
  const decode::WeightSource weights = [&](const std::string& name) {
    return transformer.weights().contains(name) ? transformer.merged_weight(name, use_adapter) : at::Tensor();
  };
  auto stop_ids = config.eos_ids;
  if (model.tokenizer)
    stop_ids.insert(stop_ids.end(), model.tokenizer->stop_ids().begin(), model.tokenizer->stop_ids().end());
  impl_->decoder = {decoding_model(transformer, weights, precision),
                    model.tokenizer,
                    config.vocab,
                    config.context,
                    std::move(stop_ids),
                    std::move(steering),
                    config.hidden};
}

Generator::~Generator() = default;

std::vector<std::vector<Completion>> Generator::generate(const std::vector<std::vector<int64_t>>& prompts,
                                                         const SamplingOptions& options, const Rng& rng,
                                                         const GenerateCallbacks& callbacks) const {
  std::vector<Rng> streams;
  for (size_t i = 0; i < prompts.size(); ++i) streams.push_back(rng.child(static_cast<int64_t>(i)));
  return generate(prompts, options, streams, callbacks);
}

std::vector<std::vector<Completion>> Generator::generate(const std::vector<std::vector<int64_t>>& prompts,
                                                         const SamplingOptions& options,
                                                         const std::vector<Rng>& streams,
                                                         const GenerateCallbacks& callbacks) const {
  const at::NoGradGuard no_grad;
  const auto& decoder = impl_->decoder;
  check_options(options, decoder.tokenizer != nullptr);
  check_prompts(prompts, decoder.vocab, decoder.context);
  return decode::run_decoding(decoder, prompts, options, streams, callbacks);
}

}  // namespace plaudit
