#include "plaudit/train/contrast_rewards.h"

#include <ATen/ATen.h>

#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/hash.h"
#include "plaudit/data/revision.h"
#include "plaudit/objective/treg.h"
#include "plaudit/train/examples.h"
#include "plaudit/train/frozen_pass.h"
#include "plaudit/train/reference.h"

namespace plaudit {

ContrastRewards::ContrastRewards(const LanguageModel& model, AnswerOptions answers, std::string better,
                                 std::string worse)
    : model_(model),
      encoder_(answer_encoder(model, answers, AnswerEnd::cut)),
      better_(std::move(better)),
      worse_(std::move(worse)) {
  if (better_ == worse_)
    fail(ErrorKind::value, "train.worse",
         "is the same instruction as `better`: all token rewards would be 0");
}

bool ContrastRewards::add(const std::string& where, const Prompt& prompt,
                          const std::vector<std::string>& texts, const TokenizedAnswers& example) {
  std::vector<TokenizedAnswers> contexts;
  for (size_t k = 0; k < texts.size(); ++k) {
    for (const auto& instruction : {better_, worse_}) {
      auto context = encoder_.encode(where, revision_prompt(prompt, texts[k], instruction), {texts[k]});
      // The rewards must stand at the very tokens that are trained.
      if (!context || context->answers[0] != example.answers[k]) return false;
      contexts.push_back(std::move(*context));
    }
  }
  for (const auto& answer : example.answers)
    begins_.push_back(begins_.back() + static_cast<int64_t>(answer.size()));
  contexts_.insert(contexts_.end(), contexts.begin(), contexts.end());
  return true;
}

bool ContrastRewards::prepare(const TrainOptions& options, TrainContext& context) {
  if (rewards_.defined()) return true;
  const auto path =
      context.folder.empty() ? "" : (std::filesystem::path(context.folder) / "contrast.safetensors").string();
  const auto key = hex64(hash_run(model_, hash_examples(contexts_, {})));
  const auto total = begins_.back();
  if (!path.empty()) {
    if (auto saved = load_reference(path, key, total, 1)) {
      rewards_ = saved->squeeze(1);
      return true;
    }
  }
  auto found = at::zeros({total});
  const auto context_of = [&](int64_t i) { return &contexts_[static_cast<size_t>(i)]; };
  const auto pass = [&](const std::vector<int64_t>& part) {
    std::vector<const TokenizedAnswers*> both;
    for (const auto answer : part) {
      both.push_back(context_of(2 * answer));
      both.push_back(context_of(2 * answer + 1));
    }
    const auto batch = pack_for_logps(both);
    const auto logps = answer_token_logps(*model_.transformer, batch).to(at::kCPU, at::kFloat);
    int64_t at = 0;
    for (const auto answer : part) {
      const auto begin = begins_[static_cast<size_t>(answer)];
      const auto size = begins_[static_cast<size_t>(answer) + 1] - begin;
      const auto better = logps.narrow(0, at, size).unsqueeze(0),
                 worse = logps.narrow(0, at + size, size).unsqueeze(0);
      found.narrow(0, begin, size)
          .copy_(contrast_token_rewards(better, worse, at::ones_like(better)).squeeze(0));
      at += 2 * size;
    }
  };
  const auto tokens = [&](int64_t i) {
    return context_of(2 * i)->tokens() + context_of(2 * i + 1)->tokens();
  };
  if (!frozen_pass(static_cast<int64_t>(contexts_.size()) / 2, tokens, pass, found, "token rewards", options,
                   context))
    return false;
  rewards_ = found;
  if (!path.empty() && context.collective.rank == 0) save_reference(path, key, rewards_.unsqueeze(1));
  return true;
}

at::Tensor ContrastRewards::at_tokens(const std::vector<int64_t>& examples,
                                      const AnswerLogpBatch& batch) const {
  if (!rewards_.defined()) bug("train.contrast_rewards", "is used before it was prepared");
  std::vector<at::Tensor> parts;
  const auto per_example = batch.lengths.size() / examples.size();
  for (size_t k = 0; k < batch.lengths.size(); ++k) {
    const auto answer = static_cast<size_t>(examples[k / per_example]) * per_example + k % per_example;
    // The first token of an answer to an empty prompt is not counted.
    parts.push_back(rewards_.narrow(0, begins_[answer + 1] - batch.lengths[k], batch.lengths[k]));
  }
  return at::cat(parts);
}

int64_t ContrastRewards::agreeing() const {
  int64_t agree = 0;
  const auto examples = static_cast<int64_t>(begins_.size() - 1) / 2;
  const auto sum = [&](int64_t answer) {
    const auto i = static_cast<size_t>(answer);
    return rewards_.narrow(0, begins_[i], begins_[i + 1] - begins_[i]).sum().item<double>();
  };
  for (int64_t i = 0; i < examples; ++i) agree += sum(2 * i) > sum(2 * i + 1);
  return agree;
}

}  // namespace plaudit
