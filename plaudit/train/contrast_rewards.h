// Token rewards that a model makes itself: how much likelier it finds each token of an answer when asked for
// a better answer than when asked for a worse one.
//
// Source: Zhou et al., "T-REG", 2024, arXiv 2412.02685, eq. 5; the equation is in objective/treg.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/data/answers.h"
#include "plaudit/data/records.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/model/transformer.h"
#include "plaudit/train/loop.h"

namespace plaudit {

class ContrastRewards {
 public:
  // `better` and `worse` instruct a revision of each answer (data/revision.h); the same tokens are then read
  // behind both. The model is the policy as it is before the first update.
  ContrastRewards(const LanguageModel& model, AnswerOptions answers, std::string better, std::string worse);

  // Takes the answers of one pair; false, and nothing is taken, when their contexts are above max_length.
  bool add(const std::string& where, const Prompt& prompt, const std::vector<std::string>& texts,
           const TokenizedAnswers& example);

  // Computes the rewards, or loads them from contrast.safetensors in the context's folder; false when it
  // stopped because of context.interrupt. UserError (value): a file of another model, tokenizer or data.
  bool prepare(const TrainOptions& options, TrainContext& context);

  // Rewards in [-1/2, 1/2] at the counted tokens of a batch that holds exactly these examples, [C] f32 on the
  // CPU.
  at::Tensor at_tokens(const std::vector<int64_t>& examples, const AnswerLogpBatch& batch) const;

  // In how many pairs the first answer has the larger sum of rewards: how far they agree with the labels.
  int64_t agreeing() const;

 private:
  LanguageModel model_;
  AnswerEncoder encoder_;
  std::string better_, worse_;
  std::vector<TokenizedAnswers> contexts_;  // per answer: behind `better`, behind `worse`
  std::vector<int64_t> begins_ = {0};       // of each answer in rewards_
  at::Tensor rewards_;                      // all tokens of all answers
};

}  // namespace plaudit
