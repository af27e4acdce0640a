// Supervised training on demonstrations: the mean negative log-likelihood per token of the completions, the
// ending token included, the prompt left out; with td_weight also inverse soft-Q-learning, which reads logits
// as Q-values and adds td_weight (q_t - discount v_{t+1})^2 per token (v = 0 behind the end; a completion
// that was cut has no such term at its last token).
//
// Source: Wulfmeier et al., "Imitating Language via Scalable Inverse RL", 2024, arXiv 2409.01369; the loss
// itself is iq_td_mle_loss of objective/inverse_q.h. Logits of a pretrained model stand at an arbitrary
// height, so the mean value over the data before the first update is taken off all of them; the policy does
// not see it.
#pragma once

#include <string>
#include <vector>

#include "plaudit/data/answers.h"
#include "plaudit/data/records.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/model/transformer.h"
#include "plaudit/train/loop.h"

namespace plaudit {

struct SupervisedOptions {
  AnswerOptions answers = {};
  double td_weight = 0;  // lambda; 0: maximum likelihood
  double discount = 1;   // gamma
};

class SupervisedObjective : public Objective {
 public:
  // Tokenises at once. A demonstration's weight multiplies its tokens. UserErrors: no demonstration, or all
  // dropped (empty); too long (value, see AnswerOptions); all weights zero or one negative (value).
  SupervisedObjective(LanguageModel model, const std::vector<Demonstration>& demonstrations,
                      const SupervisedOptions& options = {});

  std::string name() const override { return "supervised"; }
  int64_t size() const override { return static_cast<int64_t>(examples_.size()); }
  int64_t tokens(int64_t example) const override;
  StepLoss loss(const std::vector<int64_t>& examples) override;
  std::vector<Parameter> parameters() const override { return model_.transformer->trainable(); }
  void begin_pass(std::optional<uint64_t> key) override { model_.transformer->set_dropout_key(key); }
  uint64_t fingerprint() const override { return fingerprint_; }
  std::string show(int64_t example) const override;
  std::map<std::string, int64_t> counts() const override;
  std::vector<std::string> metric_names() const override;
  bool prepare(const TrainOptions& options, TrainContext& context) override;

 private:
  // q_t - discount v_{t+1} at the counted tokens, 0 where the next value is not known.
  at::Tensor residuals(const std::vector<int64_t>& examples, const AnswerLogpBatch& batch,
                       const TokenScores& scores) const;

  LanguageModel model_;
  SupervisedOptions options_;
  double offset_ = 0;  // taken off all logits
  std::vector<TokenizedAnswers> examples_;
  std::vector<double> weights_;
  AnswerCounts counts_;
  uint64_t fingerprint_ = 0;
};

}  // namespace plaudit
