#include "plaudit/train/reference_logps.h"

#include <ATen/ATen.h>

#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/hash.h"
#include "plaudit/train/batches.h"
#include "plaudit/train/examples.h"
#include "plaudit/train/reference.h"

namespace plaudit {

ReferenceLogps::ReferenceLogps(const LanguageModel& policy, ReferenceOptions options, bool needed,
                               std::shared_ptr<Transformer> model)
    : policy_(policy), options_(std::move(options)), model_(std::move(model)) {
  if (options_.reference == "auto") options_.reference = needed ? "cached" : "free";
  check();
  if (mode() == "copy" && !model_) model_ = policy_.transformer->clone();
}

void ReferenceLogps::check() const {
  if (mode() == "adapter_off" && !policy_.transformer->has_lora())
    fail(ErrorKind::value, "train.reference",
         "is adapter_off, but the policy has no adapter; use cached or copy, or train with LoRA");
  if (options_.ref_sync_steps > 0 && mode() != "copy")
    fail(ErrorKind::value, "train.ref_sync_steps",
         "needs reference copy, the only one that can move; reference is " + mode());
  if (model_ && mode() != "copy" && mode() != "cached")
    fail(ErrorKind::value, "train.reference", "must be cached or copy when a reference model is given");
  if (options_.ref_sync_steps > 0 && model_ &&
      model_->trainable().size() != policy_.transformer->trainable().size())
    fail(ErrorKind::value, "train.ref_sync_steps",
         "needs a reference with the same trainable tensors as the policy");
}

bool ReferenceLogps::prepare(const std::vector<TokenizedAnswers>& examples, const TrainOptions& options,
                             TrainContext& context) {
  if (mode() != "cached" || cache_.defined()) return true;
  auto path = options_.reference_file;
  if (path.empty() && !context.folder.empty())
    path = (std::filesystem::path(context.folder) / "reference.safetensors").string();
  if (path.empty()) return compute(examples, options, context);
  LanguageModel model = policy_;
  if (model_) model.transformer = model_;
  const auto key = hex64(hash_run(model, hash_examples(examples, {})));
  const auto answers = static_cast<int64_t>(examples.front().answers.size());
  if (auto saved = load_reference(path, key, static_cast<int64_t>(examples.size()), answers)) {
    cache_ = *saved;
    return true;
  }
  if (!compute(examples, options, context)) return false;
  if (context.collective.rank == 0) save_reference(path, key, cache_);
  return true;
}

// Each rank computes its share; the sum over the ranks joins them.
bool ReferenceLogps::compute(const std::vector<TokenizedAnswers>& examples, const TrainOptions& options,
                             TrainContext& context) {
  const at::NoGradGuard no_grad;
  const auto& ranks = context.collective;
  const auto size = static_cast<int64_t>(examples.size());
  const auto answers = static_cast<int64_t>(examples.front().answers.size());
  std::vector<int64_t> mine;
  for (int64_t i = ranks.rank; i < size; i += ranks.world) mine.push_back(i);
  const auto tokens = [&](int64_t i) { return examples[static_cast<size_t>(i)].tokens(); };
  const auto& model = model_ ? *model_ : *policy_.transformer;
  auto logps = at::zeros({size, answers});
  int64_t done = 0;
  bool interrupted = false;
  for (const auto& pass : micro_batches(mine, tokens, options.tokens_per_batch)) {
    interrupted = context.interrupt && context.interrupt();
    if (interrupted) break;
    const auto values = answer_logps(model, pack_for_logps(select(examples, pass))).view({-1, answers});
    logps.index_copy_(0, at::tensor(pass, at::kLong), values.cpu().to(at::kFloat));
    done += static_cast<int64_t>(pass.size());
    if (context.progress && ranks.rank == 0)
      context.progress(done, static_cast<int64_t>(mine.size()), "reference log-probabilities");
  }
  std::vector<at::Tensor> sums = {logps, at::full({}, interrupted ? 1.0 : 0.0)};
  ranks.all_reduce_sum(sums);
  if (sums[1].item<double>() > 0) return false;
  cache_ = sums[0];
  return true;
}

at::Tensor ReferenceLogps::logps(const std::vector<int64_t>& examples, const std::vector<int64_t>& columns,
                                 const AnswerLogpBatch& batch) const {
  const at::NoGradGuard no_grad;
  const auto count = static_cast<int64_t>(columns.size());
  if (free()) return at::zeros({static_cast<int64_t>(examples.size()), count});
  if (mode() == "cached") {
    if (!cache_.defined()) bug("train.reference", "is used before it was prepared");
    return cache_.index_select(0, at::tensor(examples, at::kLong))
        .index_select(1, at::tensor(columns, at::kLong));
  }
  const bool copy = mode() == "copy";
  return answer_logps(copy ? *model_ : *policy_.transformer, batch, /*use_adapter=*/copy).view({-1, count});
}

void ReferenceLogps::after_step(int64_t step) {
  if (options_.ref_sync_steps == 0 || step % options_.ref_sync_steps != 0) return;
  const at::NoGradGuard no_grad;
  const auto from = policy_.transformer->trainable(), to = model_->trainable();
  for (size_t i = 0; i < to.size(); ++i) to[i].tensor.detach().lerp_(from[i].tensor, options_.ref_sync_mix);
}

std::vector<Parameter> ReferenceLogps::state() const {
  return options_.ref_sync_steps > 0 ? model_->trainable() : std::vector<Parameter>{};
}

}  // namespace plaudit
