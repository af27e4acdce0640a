// Training of the scalar reward model on preferences, by the Bradley-Terry loss.
//
// Source: Wang et al., "Secrets of RLHF in LLMs Part II", 2024, arXiv 2401.06080, section 2.1.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/data/records.h"
#include "plaudit/reward/reward_model.h"
#include "plaudit/train/loop.h"

namespace plaudit {

struct RewardObjectiveOptions {
  double label_smoothing = 0;  // probability that a label is wrong
  double center_coef = 0;      // weight of (r_chosen + r_rejected)^2
  bool use_margins = false;    // pairs: their margin; ranked lists: the difference of scores
};

template <>
void describe(OptionTable<RewardObjectiveOptions>& table);

// Trains the head and whatever of the backbone is trainable: its adapter, all its weights, or nothing. With
// nothing the features of all answers are computed once and only the head is trained on them.
//
// An example is a prompt, computed once, with its answers and the comparisons between them: one for a pair,
// all pairs with different scores for a ranked list, where each list weighs 1. A pair's label p is the
// target probability, pushed towards 1/2 by label_smoothing. Loss and metrics are means over the examples:
// accuracy (strict; labels of 1/2 left out), margin, rewards/chosen, rewards/rejected.
class RewardObjective : public Objective {
 public:
  // Tokenise at once. UserErrors: no example, or all dropped or tied (empty); two equal answers in every
  // example, labels of 1/2 alone, too long, a label outside [0,1], a missing margin, weights below 0 or all 0
  // (value).
  RewardObjective(std::shared_ptr<RewardModel> model, const std::vector<PreferencePair>& pairs,
                  RewardObjectiveOptions options = {});
  RewardObjective(std::shared_ptr<RewardModel> model, const std::vector<RankedList>& lists,
                  RewardObjectiveOptions options = {});

  std::string name() const override { return "reward"; }
  int64_t size() const override { return static_cast<int64_t>(examples_.size()); }
  // With a frozen backbone: answers, as only the head runs.
  int64_t tokens(int64_t example) const override;
  StepLoss loss(const std::vector<int64_t>& examples) override;
  std::vector<Parameter> parameters() const override;
  std::vector<std::string> metric_names() const override {
    return {"accuracy", "margin", "rewards/chosen", "rewards/rejected"};
  }
  bool prepare(const TrainOptions& options, TrainContext& context) override;
  void begin_pass(std::optional<uint64_t> dropout_key) override;
  uint64_t fingerprint() const override { return fingerprint_; }
  std::string show(int64_t example) const override;
  std::map<std::string, int64_t> counts() const override { return counts_; }

  // Raw rewards of all answers under the model as it is, [answers], no gradient; the cached features serve
  // again.
  at::Tensor answer_rewards(int64_t tokens_per_batch) const;

  // What a saved folder of the model must hold after this training.
  BackboneKind backbone_kind() const;

 private:
  // Answer numbers within an example.
  struct Comparison {
    int64_t better = 0, worse = 1;
    double target = 1;  // probability that `better` is the better one
    double margin = 0;
    double weight = 1;
  };
  struct Comparisons;

  void add(AnswerEncoder& encoder, const std::string& where, const Prompt& prompt,
           const std::vector<std::string>& answers, std::vector<Comparison> comparisons);
  void finish(const AnswerEncoder& encoder);
  Comparisons gather(const std::vector<int64_t>& examples, const at::Tensor& like) const;
  at::Tensor answer_numbers(const std::vector<int64_t>& examples) const;
  at::Tensor features(const std::vector<int64_t>& examples) const;
  bool frozen() const { return model_->backbone().transformer->trainable().empty(); }

  std::shared_ptr<RewardModel> model_;
  RewardObjectiveOptions options_;
  std::vector<TokenizedAnswers> examples_;
  std::vector<std::vector<Comparison>> comparisons_;
  std::vector<int64_t> first_answer_;  // number of each example's first answer among all answers
  std::map<std::string, int64_t> counts_;
  at::Tensor cached_;  // features of all answers, [answers, hidden], with a frozen backbone
  uint64_t fingerprint_ = 0;
};

}  // namespace plaudit
