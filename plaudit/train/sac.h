// Soft actor-critic on batches of transitions: one action a decision, or a sequence of them.
//
// Haarnoja et al., 2018, arXiv 1812.05905. With sequence J > 1 the actor is trained on J actions from one
// observation: states behind the first are recalled by a model that is learnt beside the critics, without
// gradient, and each action has its own critic signal (Patel and Siegelmann, ICLR 2025). Critics learn from
// single steps in both cases. With many critics, `order` actor-first, and `diversity` it is SAC-N and EDAC
// for logged data (An et al., 2021, arXiv 2110.01548).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/train/adamw.h"
#include "plaudit/train/control_learner.h"

namespace plaudit {

struct SacOptions {
  int64_t sequence = 1;
  double gamma = 0.99, tau = 0.005, learning_rate = 3e-4;
  double temperature = 0.2;
  std::optional<double> target_entropy = {};
  double reward_scale = 1;
  int64_t critics = 2;
  std::vector<int64_t> hidden = {256, 256}, model_hidden = {400, 300};
  std::string recall = "slow";
  std::string init = "xavier";
  std::optional<int64_t> actor_every = {};
  std::string order = "critics-first";
  double diversity = 0;
  double log_std_min = -20;
};
template <>
void describe(OptionTable<SacOptions>& table);

// What SAC-N and EDAC take for logged data.
SacOptions edac_options();

class SacLearner : public ControlLearner {
 public:
  SacLearner(int64_t observations, int64_t actions, const SacOptions& options, const Rng& rng);

  // Critics and model; actor and temperature when `step` is their turn.
  void update(const ReplayBatch& batch, int64_t step, Rng& rng) override;
  // critic_loss, model_loss, actor_loss, temperature, diversity.
  std::map<std::string, double> metrics() const override;
  const ControlActor& actor() const override { return actor_; }
  const Mlp& critic() const { return critic_; }
  std::vector<Parameter> state() const override;
  std::string settings() const override;

 private:
  void update_critics(const ReplayBatch& batch, Rng& rng);
  void update_model(const ReplayBatch& batch);
  void update_actor(const ReplayBatch& batch, Rng& rng);
  // The states before each of the actions [B,J,A], [B,J,S].
  at::Tensor recall(const at::Tensor& observations, const at::Tensor& actions) const;

  SacOptions options_;
  int64_t actions_;
  ControlActor actor_;
  Mlp critic_, frozen_critic_, target_critic_;
  Mlp model_, frozen_model_, slow_model_;
  at::Tensor log_temperature_;
  std::unique_ptr<AdamW> actor_optimizer_, critic_optimizer_, model_optimizer_, temperature_optimizer_;
  at::Tensor critic_loss_, model_loss_, actor_loss_, diversity_;
};

}  // namespace plaudit
