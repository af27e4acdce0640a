// Proximal policy optimisation for control, by the same functions as for language: an episode is a row, its
// steps are the tokens (objective/advantage.h, objective/policy_gradient.h).
//
// Schulman et al., 2017, arXiv 1707.06347, algorithm 1. What it owes to practice beyond the paper:
// observations by running mean and deviation, kept with the policy; rewards over the running deviation of
// discounted returns; advantages whitened over the iteration (Huang et al., "The 37 implementation details of
// PPO", 2022).
#pragma once

#include <memory>
#include <optional>

#include "plaudit/core/options.h"
#include "plaudit/reward/intrinsic.h"
#include "plaudit/train/control_learner.h"

namespace plaudit {

struct PpoOptions {
  double gamma = 0.99, lambda = 0.95;
  double clip = 0.2;
  std::optional<double> value_clip = {};
  int64_t epochs = 10, minibatch = 128;
  double learning_rate = 3e-4;
  bool anneal = true;
  double entropy_weight = 0;
  double max_gradient_norm = 0.5;
  std::optional<double> target_kl = {};
  bool scale_observations = true, scale_rewards = true;
  std::vector<int64_t> hidden = {64, 64};
  double log_std_start = -0.5;
};
template <>
void describe(OptionTable<PpoOptions>& table);

class PpoLearner : public ControlLearner {
 public:
  // `iterations` of the run: what the learning rate falls over.
  PpoLearner(int64_t observations, int64_t actions, const PpoOptions& options, int64_t iterations,
             const Rng& rng);

  // All epochs on a batch of whole episodes (lengths). UserErrors: a batch without lengths is a bug of the
  // caller; nan as ControlLearner.
  void update(const ReplayBatch& batch, int64_t step, Rng& rng) override;
  // policy_loss, value_loss, clip_fraction, approx_kl, entropy, explained_variance, passes.
  std::map<std::string, double> metrics() const override { return metrics_; }
  const ControlActor& actor() const override { return actor_; }
  const Mlp& critic() const { return critic_; }
  std::vector<Parameter> state() const override;
  std::string settings() const override;

 private:
  // An iteration's transitions as the epochs need them, all [B] or [B,.], constant.
  struct Targets {
    at::Tensor seen, actions, logps, values, advantages, returns;
  };
  Targets targets(const ReplayBatch& batch);
  at::Tensor scaled_rewards(const at::Tensor& rewards, const at::Tensor& mask);
  // One pass over the transitions in minibatches; the mean of (log pi - log pi_old)^2/2.
  double pass(const Targets& t, double learning_rate, Rng& rng);
  void see(const at::Tensor& observations);

  PpoOptions options_;
  int64_t iterations_;
  ControlActor actor_;
  Mlp critic_;
  std::unique_ptr<AdamW> actor_optimizer_, critic_optimizer_;
  at::Tensor mean_, var_, count_;  // of observations so far, f64: [S], [S], []
  at::Tensor reward_moments_;      // mean, variance, count of discounted returns so far, f64 [3]
  std::map<std::string, double> metrics_;
};

}  // namespace plaudit
