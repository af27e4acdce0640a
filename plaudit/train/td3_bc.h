// TD3+BC: a deterministic actor-critic that is held near the logged actions.
//
// Fujimoto and Gu, "A Minimalist Approach to Offline RL", 2021, arXiv 2106.06860: the actor minimises
// -lambda Q_1(s, pi(s)) + |pi(s) - a|^2 with lambda = alpha / mean |Q_1|, on normalised observations; critics
// as TD3 (Fujimoto et al., 2018, arXiv 1802.09477).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/train/adamw.h"
#include "plaudit/train/control_learner.h"

namespace plaudit {

struct Td3BcOptions {
  double alpha = 2.5;
  double gamma = 0.99, tau = 0.005, learning_rate = 3e-4;
  double target_noise = 0.2, noise_clip = 0.5;
  int64_t actor_every = 2;
  std::vector<int64_t> hidden = {256, 256};
};
template <>
void describe(OptionTable<Td3BcOptions>& table);

class Td3BcLearner : public ControlLearner {
 public:
  Td3BcLearner(int64_t observations, int64_t actions, const Td3BcOptions& options, const Rng& rng);

  // The critics; every actor_every-th step the actor and the targets of both.
  void update(const ReplayBatch& batch, int64_t step, Rng& rng) override;
  std::map<std::string, double> metrics() const override;  // critic_loss, actor_loss, bc_loss
  const ControlActor& actor() const override { return actor_; }
  std::vector<Parameter> state() const override;
  std::string settings() const override;

 private:
  void update_critics(const ReplayBatch& batch, Rng& rng);
  void update_actor(const ReplayBatch& batch);

  Td3BcOptions options_;
  ControlActor actor_, target_actor_;
  Mlp critic_, frozen_critic_, target_critic_;
  std::unique_ptr<AdamW> actor_optimizer_, critic_optimizer_;
  at::Tensor critic_loss_, actor_loss_, bc_loss_;
};

}  // namespace plaudit
