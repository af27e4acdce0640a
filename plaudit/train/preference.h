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
#include "plaudit/train/contrast_rewards.h"
#include "plaudit/train/preference_losses.h"
#include "plaudit/train/preference_step.h"
#include "plaudit/train/reference_objective.h"

namespace plaudit {

struct PreferenceOptions {
  std::string loss = "dpo";
  PreferenceLossOptions settings = {};
  double sft_weight = 0;  // adds this times the chosen answer's loss per token
  // As in ReferenceOptions.
  std::string reference = "auto";
  std::string reference_file = "";
  int64_t ref_sync_steps = 0;
  double ref_sync_mix = 0.6;
  AnswerOptions answers = {};
};

template <>
void describe(OptionTable<PreferenceOptions>& table);

// Each pair's prompt is computed once, its two answers branch from it. The reference is as
// train/reference_logps.h says; `reference` of the constructor takes the place of the starting policy in it.
// A pair with label p counts as p parts of (chosen, rejected) and 1-p parts of (rejected, chosen); its weight
// multiplies its loss; its margin is not used. Loss and metrics are means per pair. Metrics: rewards/chosen,
// rewards/rejected, rewards/margin, rewards/accuracy (strict; pairs with label 1/2 left out), logps/chosen,
// logps/rejected and kl = mean over all answers of log ref - log policy, which estimates KL(ref || policy)
// where the answers were drawn from the reference.
//
// Losses may ask for more of a pair (PairExtras). Revisions: the pair is read three times, its answers by
// themselves and behind a context that quotes each of them (data/revision.h). Calibration: `chosen_writer`
// and `rejected_writer` "reference" in the extra fields (the stages sample and label write them) mark the
// draws of the reference. Token rewards: see contrast_rewards.h; counts() says as token_rewards_agree in how
// many pairs they are larger for the chosen answer.
class PreferenceObjective : public ReferenceObjective {
 public:
  // Tokenises at once. UserErrors: no pair, or all dropped (empty); too long, a label outside [0,1], a weight
  // below 0, all weights 0, all pairs equal or all undecided, options that contradict each other (value).
  PreferenceObjective(LanguageModel policy, const std::vector<PreferencePair>& pairs,
                      PreferenceOptions options, std::shared_ptr<Transformer> reference = nullptr);

  std::string name() const override { return options_.loss; }
  int64_t size() const override { return static_cast<int64_t>(labels_.size()); }
  int64_t tokens(int64_t example) const override;
  StepLoss loss(const std::vector<int64_t>& examples) override;
  std::vector<std::string> metric_names() const override { return preference_metric_names(); }
  bool prepare(const TrainOptions& options, TrainContext& context) override;
  std::string show(int64_t example) const override;

 private:
  // What is read for one pair: its answers, then, for losses of revisions, the same behind a context with
  // each.
  std::optional<std::vector<TokenizedAnswers>> encode(const std::string& name, const PreferencePair& pair,
                                                      AnswerEncoder& encoder);
  void find_calibration(const std::vector<PreferencePair>& kept);
  std::vector<int64_t> views(const std::vector<int64_t>& examples) const;
  PreferenceTerms terms(const std::vector<int64_t>& examples) const;

  PreferenceOptions options_;
  const PreferenceLoss* loss_ = nullptr;
  std::optional<ContrastRewards> contrast_;
  size_t views_ = 1;                        // read per pair
  std::vector<TokenizedAnswers> examples_;  // views_ per pair
  std::vector<double> labels_, weights_;
  std::vector<double> chosen_calibrates_, rejected_calibrates_;
};

}  // namespace plaudit
