// The scalar reward model: r(x,y) = w . h(x,y) + b on the final hidden state of a language model.
//
// Source: Wang et al., "Secrets of RLHF in LLMs Part II", 2024, arXiv 2401.06080, section 2.1.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plaudit/data/answers.h"
#include "plaudit/feedback/judge.h"
#include "plaudit/model/transformer.h"

namespace plaudit {

struct RewardModelOptions {
  std::string pooling = "last";      // last: hidden state of the ending token; mean: of prompt and answer
  std::string head_init = "normal";  // normal: variance 1/(hidden+1); zeros
  bool bias = false;
  AnswerOptions answers = {};
};

template <>
void describe(OptionTable<RewardModelOptions>& table);

// What the training of a reward model changed, and so what its folder must hold.
enum class BackboneKind {
  base,     // nothing: the folder names the model
  adapter,  // an adapter: saved beside the head
  full      // all weights: saved beside the head
};

// Scores are deterministic; concurrent calls of const members are safe.
class RewardModel {
 public:
  RewardModel(LanguageModel backbone, RewardModelOptions options, uint64_t seed);

  // A folder that save() wrote. UserErrors: files missing or not of this format (io, type); the backbone or
  // its tokenizer is no longer the one it was trained on (value).
  static RewardModel load(const std::string& folder, at::ScalarType dtype = at::kFloat,
                          at::Device device = at::kCPU);
  // Writes reward.json, reward_head.safetensors and, as `kind` says, adapter/ or backbone/.
  void save(const std::string& folder, BackboneKind kind) const;

  const LanguageModel& backbone() const { return backbone_; }
  const RewardModelOptions& options() const { return options_; }
  // weight [1, hidden] and, with a bias, bias [1]; f32.
  std::vector<Parameter> head() const;

  // Pooled hidden states [A, hidden] of all answers of the examples, one after another; differentiable.
  at::Tensor features(std::span<const TokenizedAnswers* const> examples) const;
  // Raw rewards [A] from features [A, hidden]; differentiable.
  at::Tensor rewards(const at::Tensor& features) const;

  // (raw reward - mean)/std of each answer. An answer that cannot be scored (empty with an empty prompt, too
  // long with on_long error or drop) has its error instead. Answers to one prompt that follow each other
  // share its computation; a score does not depend on what it is computed with, up to rounding. `progress`
  // gets the number of answers done and their total.
  std::vector<Judgement> score(const std::vector<Answer>& answers, int64_t tokens_per_batch = 4096,
                               const std::function<void(int64_t, int64_t)>& progress = {}) const;

  // The scale of the scores: `answers`, usually samples of the policy before training, get mean 0 and
  // variance 1. UserError (value) when fewer than two can be scored or all score the same.
  void normalise_to(const std::vector<Answer>& answers, int64_t tokens_per_batch = 4096);
  void set_scale(double mean, double std);
  double mean() const { return mean_; }
  double std() const { return std_; }

 private:
  LanguageModel backbone_;
  RewardModelOptions options_;
  at::Tensor weight_, bias_;  // bias_ undefined without one
  double mean_ = 0, std_ = 1;
};

// A reward model as a judge.
class RewardModelJudge : public Judge {
 public:
  explicit RewardModelJudge(std::shared_ptr<const RewardModel> model) : model_(std::move(model)) {}
  std::string name() const override { return "reward-model"; }
  std::vector<Judgement> judge(const std::vector<Answer>& answers) override { return model_->score(answers); }

 private:
  std::shared_ptr<const RewardModel> model_;
};

}  // namespace plaudit
