// Online policy gradient of a language model: it answers, a judge or a verifier scores, the clipped surrogate
// raises what scored better than the others of its group. With rule-based verifiers as judge this is RL with
// verifiable rewards (Lambert et al., "Tulu 3", 2024, arXiv 2411.15124, section 6); with group advantages
// GRPO (Shao et al., 2024, arXiv 2402.03300); with leave-one-out RLOO (Ahmadian et al., 2024, arXiv
// 2402.14740).
//
// An example is a prompt. Before each batch of them the policy draws `per_prompt` answers to each; `updates`
// steps in a row learn from these. The answers are a pure function of weights, step and seed, and what later
// steps need of them is in the checkpoint, so a run that was killed continues bit for bit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/data/answers.h"
#include "plaudit/feedback/judge.h"
#include "plaudit/model/generate.h"
#include "plaudit/train/loop.h"

namespace plaudit {

struct PolicyGradientOptions {
  std::string advantage = "group";           // group, group-mean, leave-one-out, none
  double clip_ratio = 0.2;                   // of pi/pi_old
  double kl_coef = 0.05;                     // weight of the KL to the policy before the first step
  std::string kl_in = "loss";                // loss (k3 estimate, as GRPO) or reward (k1, as PPO and RLVR)
  std::string reduction = "sequence_mean";   // or token_mean
  double score_scale = 1;                    // multiplies scores
  std::optional<double> unended_score = {};  // what an answer gets that did not end by itself
  int64_t updates = 1;                       // steps on the same answers
};
template <>
void describe(OptionTable<PolicyGradientOptions>& table);

// Answers to a batch of prompts as tensors of a fixed size, R rows of at most T tokens.
struct Rollouts {
  at::Tensor ids;        // [R,T] f64
  at::Tensor lengths;    // [R] f64, 0 where there is none
  at::Tensor old_logps;  // [R,T] f32, of the policy that drew them
  at::Tensor ref_logps;  // [R,T] f32, of the policy before the first step
  at::Tensor advantage;  // [R] f32
  at::Tensor score;      // [R] f32, as the judge gave it; NaN: it could not
  at::Tensor ended;      // [R] f32
};

// Metrics, means over answers: score (of those that were judged), unjudged, ended, length (tokens), kl (k1 to
// the policy before the first step), clip_fraction (tokens) and signal, the share of answers whose advantage
// is not 0: with none of them nothing is learnt.
class PolicyGradientObjective : public Objective {
 public:
  // `extra` per prompt is what a verifier checks against. UserErrors: no prompt (empty), an option that makes
  // no sense with the others (value).
  PolicyGradientObjective(LanguageModel policy, std::vector<Prompt> prompts, std::vector<Json> extra,
                          std::unique_ptr<Judge> judge, const SamplingOptions& sampling,
                          const PolicyGradientOptions& options, Rng rng);

  std::string name() const override { return "policy-gradient"; }
  int64_t size() const override { return static_cast<int64_t>(prompts_.size()); }
  int64_t tokens(int64_t example) const override;
  StepLoss loss(const std::vector<int64_t>& examples) override;
  std::vector<Parameter> parameters() const override { return policy_.transformer->trainable(); }
  std::vector<std::string> metric_names() const override {
    return {"clip_fraction", "ended", "kl", "length", "score", "signal", "unjudged"};
  }
  bool prepare(const TrainOptions& options, TrainContext& context) override;
  int64_t updates_per_batch() const override { return options_.updates; }
  void begin_update(const std::vector<int64_t>& batch, int64_t tokens_per_batch,
                    const Collective& ranks) override;
  void begin_pass(std::optional<uint64_t> key) override { policy_.transformer->set_dropout_key(key); }
  void after_step(int64_t step) override { step_[0] = static_cast<double>(step); }
  std::vector<Parameter> state() const override;
  uint64_t fingerprint() const override { return fingerprint_; }
  std::map<std::string, int64_t> counts() const override;
  std::string show(int64_t example) const override;
  // What the judge could not judge, by reason, since the start of this process.
  const std::map<std::string, int64_t>& unjudged() const { return errors_; }
  // False when answers were drawn and none could be judged.
  bool judged() const { return judged_ || errors_.empty(); }

 private:
  // What one rank knows of its own prompts, summed over the ranks.
  std::vector<Parameter> rollouts() const;
  void roll_out(const std::vector<int64_t>& batch, int64_t tokens_per_batch, const Collective& ranks);
  std::vector<Answer> draw(const std::vector<int64_t>& places);
  void judge(const std::vector<int64_t>& places, const std::vector<Answer>& answers);
  void set_advantages(int64_t place);
  void fill_logps(const std::vector<int64_t>& own, int64_t tokens_per_batch);
  at::Tensor advantages(const at::Tensor& scores, const at::Tensor& groups) const;
  TokenizedAnswers answers_of(int64_t place) const;

  LanguageModel policy_;
  std::shared_ptr<Transformer> reference_;
  std::vector<Prompt> prompts_;
  std::vector<Json> extra_;
  std::vector<std::vector<int64_t>> prompt_ids_;
  std::unique_ptr<Judge> judge_;
  SamplingOptions sampling_;
  PolicyGradientOptions options_;
  Rng rng_;
  Rollouts rollouts_;
  at::Tensor step_;             // [1] f64, updates done
  std::vector<int64_t> batch_;  // prompts of the rollouts; answer k of place i is row i * per_prompt + k
  std::map<std::string, int64_t> errors_;
  bool judged_ = false;  // some answer of some rank
  uint64_t fingerprint_ = 0;
};

}  // namespace plaudit
