// Preference training from single answers that are marked desirable or not (KTO).
//
// Source: Ethayarajh et al., "KTO: Model Alignment as Prospect Theoretic Optimization", 2024, arXiv
// 2402.01306, eq. 7-8; the loss itself is in objective/preference_kto.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/data/answers.h"
#include "plaudit/data/records.h"
#include "plaudit/model/transformer.h"
#include "plaudit/train/reference_objective.h"

namespace plaudit {

struct UnpairedOptions {
  double beta = 0.1;
  double desirable_weight = 1;    // keep desirable_weight nD / (undesirable_weight nU) in [1, 4/3]
  double undesirable_weight = 1;  // where one kind is rarer
  // As in ReferenceOptions.
  std::string reference = "auto";
  std::string reference_file = "";
  int64_t ref_sync_steps = 0;
  double ref_sync_mix = 0.6;
  AnswerOptions answers = {};
};

template <>
void describe(OptionTable<UnpairedOptions>& table);

// The reference point of an update is max(0, mean log-ratio) over the mismatched pairs of all its examples,
// so it depends neither on passes nor on ranks. The mismatched pair of an example is its prompt with the
// answer of the next example that has another prompt (another answer, where all prompts are equal), cut to
// max_length; it stays the same through the run, so that its reference can be cached.
//
// Loss and metrics are means per example. Metrics: reference_point (in nats), kl = mean of log ref - log
// policy, rewards/desirable, rewards/undesirable, logps/desirable, logps/undesirable.
class UnpairedObjective : public ReferenceObjective {
 public:
  // Tokenises at once. UserErrors: no record, or all dropped (empty); all of one kind, all the same, too
  // long, options that contradict each other (value).
  UnpairedObjective(LanguageModel policy, const std::vector<UnpairedFeedback>& feedback,
                    UnpairedOptions options, std::shared_ptr<Transformer> reference = nullptr);

  std::string name() const override { return "kto"; }
  int64_t size() const override { return static_cast<int64_t>(own_.size()); }
  int64_t tokens(int64_t example) const override;
  // Under the reference point of the last begin_update(); before any, under that of `examples`.
  StepLoss loss(const std::vector<int64_t>& examples) override;
  std::vector<std::string> metric_names() const override;
  bool prepare(const TrainOptions& options, TrainContext& context) override;
  void begin_update(const std::vector<int64_t>& batch, int64_t tokens_per_batch,
                    const Collective& ranks) override;
  std::string show(int64_t example) const override;
  // desirable_weight nD / (undesirable_weight nU): the paper advises [1, 4/3].
  double weight_ratio() const;

 private:
  // Scalar z0 of some examples; NaN where a log-probability is.
  at::Tensor reference_point(const std::vector<int64_t>& batch, int64_t tokens_per_batch,
                             const Collective& ranks) const;

  UnpairedOptions options_;
  std::vector<TokenizedAnswers> own_, mismatched_;  // the columns of the reference
  std::vector<double> desirable_;                   // 1 or 0
  at::Tensor reference_point_;
};

}  // namespace plaudit
