#include "plaudit/train/reference_logps.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/hash.h"
#include "plaudit/core/log.h"
#include "plaudit/train/examples.h"
#include "plaudit/train/frozen_pass.h"
#include "plaudit/train/reference.h"

namespace plaudit {
namespace {

int64_t most_answers(const std::vector<TokenizedAnswers>& examples) {
  size_t most = 0;
  for (const auto& example : examples) most = std::max(most, example.answers.size());
  return static_cast<int64_t>(most);
}

}  // namespace

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
  if (!options_.reference_file.empty() && mode() != "cached")
    fail(ErrorKind::value, "train.reference_file", "needs reference cached; reference is " + mode());
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
  if (auto saved = load_reference(path, key, static_cast<int64_t>(examples.size()), most_answers(examples))) {
    cache_ = *saved;
    return true;
  }
  SharedReferences others;  // a file that was named is shared by its name
  if (options_.reference_file.empty() && context.shared_references) {
    const auto& ranks = context.collective;
    if (ranks.rank == 0) others = context.shared_references(key);
    std::vector<at::Tensor> wait = {at::zeros({})};
    ranks.all_reduce_sum(wait);
    if (ranks.rank != 0) others = context.shared_references(key);
  }
  if (!take_from(others, key, examples, context.collective) && !compute(examples, options, context))
    return false;
  if (context.collective.rank == 0) save_reference(path, key, cache_, others.computed_by);
  return true;
}

// Ranks may see another's file at different times: it counts when all of them do.
bool ReferenceLogps::take_from(const SharedReferences& others, const std::string& key,
                               const std::vector<TokenizedAnswers>& examples, const Collective& collective) {
  std::string from;
  const auto found =
      find_reference(others, key, static_cast<int64_t>(examples.size()), most_answers(examples), from);
  std::vector<at::Tensor> ranks = {at::full({}, found ? 1.0 : 0.0)};
  collective.all_reduce_sum(ranks);
  if (ranks[0].item<double>() < static_cast<double>(collective.world)) return false;
  cache_ = *found;
  say("reference log-probabilities of " + from + ": same model, data and program");
  return true;
}

bool ReferenceLogps::compute(const std::vector<TokenizedAnswers>& examples, const TrainOptions& options,
                             TrainContext& context) {
  const auto size = static_cast<int64_t>(examples.size());
  const auto& model = model_ ? *model_ : *policy_.transformer;
  auto found = at::zeros({size, most_answers(examples)});
  const auto pass = [&](const std::vector<int64_t>& part) {
    const auto values = answer_logps(model, pack_for_logps(select(examples, part))).to(at::kCPU, at::kFloat);
    int64_t at = 0;
    for (const auto i : part) {
      const auto answers = static_cast<int64_t>(examples[static_cast<size_t>(i)].answers.size());
      found[i].narrow(0, 0, answers).copy_(values.narrow(0, at, answers));
      at += answers;
    }
  };
  const auto tokens = [&](int64_t i) { return examples[static_cast<size_t>(i)].tokens(); };
  if (!frozen_pass(size, tokens, pass, found, "reference log-probabilities", options, context)) return false;
  cache_ = found;
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
