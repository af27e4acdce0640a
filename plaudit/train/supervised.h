// Supervised training on demonstrations: the mean negative log-likelihood per token of the completions, the
// ending token included, the prompt left out.
#pragma once

#include <string>
#include <vector>

#include "plaudit/data/answers.h"
#include "plaudit/data/records.h"
#include "plaudit/model/transformer.h"
#include "plaudit/train/loop.h"

namespace plaudit {

class SupervisedObjective : public Objective {
 public:
  // Tokenises at once. A demonstration's weight multiplies its tokens. UserErrors: no demonstration, or all
  // dropped (empty); too long (value, see AnswerOptions); all weights zero or one negative (value).
  SupervisedObjective(LanguageModel model, const std::vector<Demonstration>& demonstrations,
                      const AnswerOptions& answers = {});

  std::string name() const override { return "supervised"; }
  int64_t size() const override { return static_cast<int64_t>(examples_.size()); }
  int64_t tokens(int64_t example) const override;
  StepLoss loss(const std::vector<int64_t>& examples) override;
  std::vector<Parameter> parameters() const override { return model_.transformer->trainable(); }
  void begin_pass(std::optional<uint64_t> key) override { model_.transformer->set_dropout_key(key); }
  uint64_t fingerprint() const override { return fingerprint_; }
  std::string show(int64_t example) const override;
  std::map<std::string, int64_t> counts() const override;

 private:
  LanguageModel model_;
  std::vector<TokenizedAnswers> examples_;
  std::vector<double> weights_;
  AnswerCounts counts_;
  uint64_t fingerprint_ = 0;
};

}  // namespace plaudit
