// Preference training: the policy itself learns from pairs of answers, by DPO or another loss chosen by name
// (preference_losses.h). No reward model, no sampling.
//
// Source: Rafailov et al., "Direct Preference Optimization", 2023, arXiv 2305.18290.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/data/answers.h"
#include "plaudit/data/records.h"
#include "plaudit/model/transformer.h"
#include "plaudit/train/loop.h"
#include "plaudit/train/preference_losses.h"

namespace plaudit {

struct PreferenceOptions {
  std::string loss = "dpo";
  PreferenceLossOptions settings = {};
  double sft_weight = 0;            // adds this times the chosen answer's loss per token
  std::string reference = "auto";   // auto, cached, adapter_off, copy, free
  std::string reference_file = "";  // "": reference.safetensors in the run folder
  int64_t ref_sync_steps = 0;       // with copy: steps between moves of the reference; 0: never
  double ref_sync_mix = 0.6;        // share of the policy in such a move
  AnswerOptions answers = {};
};

template <>
void describe(OptionTable<PreferenceOptions>& table);

// Each pair's prompt is computed once, its two answers branch from it. The reference is, by
// options.reference:
//   cached       the policy as it is before the first step: log-probabilities of all pairs computed once and
//                kept in a file, keyed by model, tokenizer, data, lengths and precision
//   adapter_off  the policy without its adapter, at each step
//   copy         a second frozen model (`reference`, or a copy of the policy), at each step; the only mode
//                in which it may move: every ref_sync_steps it becomes mix * policy + (1-mix) * reference
//   free         none: its log-probabilities count as 0
//   auto         cached where the loss needs a reference, else free
// A pair with label p counts as p parts of (chosen, rejected) and 1-p parts of (rejected, chosen); its weight
// multiplies its loss; its margin is not used. Loss and metrics are means per pair. Metrics: rewards/chosen,
// rewards/rejected, rewards/margin, rewards/accuracy (strict; pairs with label 1/2 left out), logps/chosen,
// logps/rejected and kl = mean over all answers of log ref - log policy, which estimates KL(ref || policy)
// where the answers were drawn from the reference.
class PreferenceObjective : public Objective {
 public:
  // Tokenises at once. UserErrors: no pair, or all dropped (empty); too long, a label outside [0,1], a weight
  // below 0, all weights 0, options that contradict each other (value).
  PreferenceObjective(LanguageModel policy, const std::vector<PreferencePair>& pairs,
                      PreferenceOptions options, std::shared_ptr<Transformer> reference = nullptr);

  std::string name() const override { return options_.loss; }
  int64_t size() const override { return static_cast<int64_t>(examples_.size()); }
  int64_t tokens(int64_t example) const override;
  StepLoss loss(const std::vector<int64_t>& examples) override;
  std::vector<Parameter> parameters() const override { return policy_.transformer->trainable(); }
  std::vector<std::string> metric_names() const override;
  bool prepare(const TrainOptions& options, TrainContext& context) override;
  void after_step(int64_t step) override;
  std::vector<Parameter> state() const override;
  void begin_pass(std::optional<uint64_t> key) override { policy_.transformer->set_dropout_key(key); }
  uint64_t fingerprint() const override { return fingerprint_; }
  std::string show(int64_t example) const override;
  std::map<std::string, int64_t> counts() const override { return counts_; }

 private:
  void check_options() const;
  // [B,2]: log-probabilities of the chosen and the rejected answers under the reference, no gradient.
  at::Tensor reference_logps(const std::vector<int64_t>& examples, const struct AnswerLogpBatch& batch) const;
  bool compute_cache(const TrainOptions& options, TrainContext& context);
  std::string cache_key() const;

  LanguageModel policy_;
  PreferenceOptions options_;
  std::string mode_;  // options_.reference, with auto resolved
  const PreferenceLoss* loss_ = nullptr;
  std::shared_ptr<Transformer> reference_;  // copy, or what fills the cache; null: the policy itself
  std::vector<TokenizedAnswers> examples_;
  std::vector<double> labels_, weights_;
  std::map<std::string, int64_t> counts_;
  at::Tensor cache_;  // [pairs, 2]
  uint64_t fingerprint_ = 0;
};

}  // namespace plaudit
