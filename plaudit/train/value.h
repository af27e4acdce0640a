// Training of a value model (reward/value_model.h) on answers of a policy that stays as it is.
//
// An answer of n tokens has n + 1 states, before its first token to behind its last; its reward arrives at
// the last of them, the ending token's. Targets are TD(lambda) returns of the values as they are, lambda 1
// being the reward itself at every state. Han et al., "Value Augmented Sampling", 2024, arXiv 2405.06639,
// section 4.1. The policy's hidden states are computed once.
#pragma once

#include <string>
#include <vector>

#include "plaudit/reward/value_model.h"
#include "plaudit/train/loop.h"
#include "plaudit/train/scored_answers.h"

namespace plaudit {

struct ValueTrainingOptions {
  int64_t width = 64;             // of the hidden layer
  double lam = 0.95;              // in [0, 1]
  std::string positions = "all";  // or "prompt": the state before the first token alone
  bool standardise = true;        // rewards to mean 0 and variance 1, so that beta is in units of 1/std
};
template <>
void describe(OptionTable<ValueTrainingOptions>& table);

// Hidden states and next tokens of answers: row r stands for the state behind tokens[r], which followed the
// state hidden[r].
struct ValueStates {
  at::Tensor hidden;             // [N,H] f32
  at::Tensor tokens;             // [N] i64
  std::vector<int64_t> first;    // [A] row of the state before the first token
  std::vector<int64_t> lengths;  // [A] states of each answer
};
// All states of all answers, or with `prompt_only` the first of each. A prompt of one token has no state
// before its last token: zeros stand for it. Prompts must not be empty (UserError of kind empty).
ValueStates value_states(const LanguageModel& policy, const std::vector<const TokenizedAnswers*>& examples,
                         bool prompt_only, int64_t tokens_per_batch);

// V(prompt) of each example, in units of reward, [examples, objectives].
at::Tensor prompt_values(const ValueModel& values, const LanguageModel& policy,
                         const std::vector<const TokenizedAnswers*>& examples,
                         int64_t tokens_per_batch = 4096);

// Metrics: prompt_error and end_error, the mean squared error of the value before the first token and behind
// the last against the reward, in units of its variance (with standardise): 1 is what the mean would do.
class ValueObjective : public Objective {
 public:
  // `values` is trained in place; its scale is set. UserErrors: no answer (empty); all rewards of an
  // objective equal with standardise (value).
  ValueObjective(LanguageModel policy, ValueModel& values, std::vector<ScoredExample> examples,
                 const ValueTrainingOptions& options);

  std::string name() const override { return "value"; }
  int64_t size() const override { return static_cast<int64_t>(scores_.size()); }
  int64_t tokens(int64_t example) const override { return counts_.at(static_cast<size_t>(example)); }
  StepLoss loss(const std::vector<int64_t>& examples) override;
  std::vector<Parameter> parameters() const override { return values_.parameters(); }
  std::vector<std::string> metric_names() const override { return {"end_error", "prompt_error"}; }
  bool prepare(const TrainOptions& options, TrainContext& context) override;
  uint64_t fingerprint() const override { return fingerprint_; }
  std::string show(int64_t example) const override;

 private:
  LanguageModel policy_;
  ValueModel& values_;
  std::vector<ScoredExample> examples_;
  ValueTrainingOptions options_;
  std::vector<std::vector<double>> scores_;  // [answers][objectives], standardised
  std::vector<int64_t> counts_;              // states per answer
  ValueStates states_;
  uint64_t fingerprint_ = 0;
};

}  // namespace plaudit
