// Preference training on whole lists of answers, best first: DPO under the Plackett-Luce model.
//
// Source: Rafailov et al., "Direct Preference Optimization", 2023, arXiv 2305.18290, eq. 20; the loss itself
// is dpo_plackett_luce_loss of objective/preference_ranking.h. Two answers make it DPO.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/data/answers.h"
#include "plaudit/data/records.h"
#include "plaudit/model/transformer.h"
#include "plaudit/train/reference_objective.h"

namespace plaudit {

struct RankedPreferenceOptions {
  double beta = 0.1;
  // As in ReferenceOptions.
  std::string reference = "auto";
  std::string reference_file = "";
  int64_t ref_sync_steps = 0;
  double ref_sync_mix = 0.6;
  AnswerOptions answers = {};
};

template <>
void describe(OptionTable<RankedPreferenceOptions>& table);

// A list with scores is put in order, and of answers with equal scores or equal texts the first is kept,
// since the model knows no ties; without scores the order is the ranking. Each prompt is computed once. Loss
// and metrics are means per list: kl = mean over all answers of log ref - log policy; rewards/best,
// rewards/worst; rewards/accuracy, the share of lists whose best answer has the largest reward.
class RankedPreferenceObjective : public ReferenceObjective {
 public:
  // Tokenises at once. UserErrors: no list, or none of two answers that differ in score (empty); too long,
  // options that contradict each other (value).
  RankedPreferenceObjective(LanguageModel policy, const std::vector<RankedList>& lists,
                            RankedPreferenceOptions options,
                            std::shared_ptr<Transformer> reference = nullptr);

  std::string name() const override { return "plackett-luce"; }
  int64_t size() const override { return static_cast<int64_t>(examples_.size()); }
  int64_t tokens(int64_t example) const override;
  StepLoss loss(const std::vector<int64_t>& examples) override;
  std::vector<std::string> metric_names() const override {
    return {"kl", "rewards/accuracy", "rewards/best", "rewards/worst"};
  }
  bool prepare(const TrainOptions& options, TrainContext& context) override;
  std::string show(int64_t example) const override;

 private:
  void add_lists_of_one_size(const std::vector<int64_t>& examples, StepLoss& out) const;

  RankedPreferenceOptions options_;
  std::vector<TokenizedAnswers> examples_;  // best answer first
};

}  // namespace plaudit
