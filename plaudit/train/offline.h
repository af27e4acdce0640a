// Offline policy gradient on scored answers, a whole answer being one action: A-LoL.
//
// Baheti et al., "Leftover-Lunch: Advantage-based Offline Reinforcement Learning for Language Models", 2024,
// arXiv 2305.14718, and the baselines that it is compared with. Answers with an advantage above 0 (of
// baselines: a reward) alone are kept, and drawn in proportion to it; nll keeps all and draws them alike.
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/objective/sequence_policy.h"
#include "plaudit/train/loop.h"
#include "plaudit/train/scored_answers.h"

namespace plaudit {

struct OfflineOptions {
  // Of offline.alol_loss, by advantage: ref_free, alol, seq, kl. Baselines by reward, without a value: nll
  // (every answer alike), wbc, r_lol, r_gold.
  std::string variant = "ref_free";
  double clip = 0.9;     // of the importance of alol, seq and r_lol; 0: none
  double kl_coef = 0.1;  // of variant kl
};
template <>
void describe(OptionTable<OfflineOptions>& table);

// Whether answers are weighed by their reward as it is, instead of by its advantage over a value.
bool weighs_rewards(const OfflineOptions& options);

// An answer with the advantage of its score over what its prompt usually gets; of baselines with the score.
struct AdvantageExample {
  TokenizedAnswers tokens;  // one answer
  double advantage = 0;
};

// The reference is the policy before the first step. Metrics: advantage, the mean of the drawn answers';
// importance, the mean weight of their tokens; logps, of the drawn answers.
class OfflineObjective : public Objective {
 public:
  // `draws` answers are drawn with replacement, by `rng`. UserErrors: no answer, or none with a positive
  // advantage (empty).
  OfflineObjective(LanguageModel policy, std::vector<AdvantageExample> examples, int64_t epochs, Rng rng,
                   const OfflineOptions& options);

  std::string name() const override { return "a-lol"; }
  int64_t size() const override { return static_cast<int64_t>(draws_.size()); }
  int64_t tokens(int64_t example) const override { return drawn(example).tokens.tokens(); }
  StepLoss loss(const std::vector<int64_t>& examples) override;
  std::vector<Parameter> parameters() const override { return policy_.transformer->trainable(); }
  std::vector<std::string> metric_names() const override { return {"advantage", "importance", "logps"}; }
  bool prepare(const TrainOptions& options, TrainContext& context) override;
  void begin_pass(std::optional<uint64_t> key) override { policy_.transformer->set_dropout_key(key); }
  uint64_t fingerprint() const override { return fingerprint_; }
  std::map<std::string, int64_t> counts() const override { return counts_; }
  std::string show(int64_t example) const override;
  double kept_fraction() const { return kept_fraction_; }

 private:
  bool needs_reference() const;
  const AdvantageExample& drawn(int64_t example) const {
    return kept_[static_cast<size_t>(draws_.at(static_cast<size_t>(example)))];
  }

  LanguageModel policy_;
  OfflineOptions options_;
  std::vector<AdvantageExample> kept_;
  std::vector<int64_t> draws_;   // places in kept_
  std::vector<int64_t> begins_;  // of each kept answer in references_
  at::Tensor references_;        // log-probabilities of all tokens of the kept answers
  std::map<std::string, int64_t> counts_;
  double kept_fraction_ = 0;
  uint64_t fingerprint_ = 0;
};

}  // namespace plaudit
