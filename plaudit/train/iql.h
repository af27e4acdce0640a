// Implicit Q-learning on logged transitions, and its robust form.
//
// Kostrikov et al., "Offline RL with Implicit Q-Learning", 2021, arXiv 2110.06169: a value V that leans to
// the upper end of what the logged actions achieve, critics that learn from V alone, and a policy by
// regression on logged actions with weights exp(beta (Q - V)). Robust IQL (Yang et al., 2024, arXiv
// 2310.12955) is the same with more critics of which a quantile counts, a Huber loss and clipped targets, on
// normalised observations.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/train/regressed_policy.h"

namespace plaudit {

struct IqlOptions {
  double expectile = 0.7, beta = 3, max_weight = 100;
  double gamma = 0.99, tau = 0.005;
  int64_t critics = 2;
  std::optional<double> quantile = {};     // absent: the least critic
  std::optional<double> huber_sigma = {};  // absent: squared errors
  std::optional<double> target_min = {}, target_max = {};
  std::string init = "uniform";  // of critics
  RegressedPolicyOptions policy = {};
};
template <>
void describe(OptionTable<IqlOptions>& table);

class IqlLearner : public ControlLearner {
 public:
  // `steps` of the run, which the policy's rate falls over.
  IqlLearner(int64_t observations, int64_t actions, const IqlOptions& options, int64_t steps, const Rng& rng);

  // In this order: V(s') and the advantages, V, critics and their targets, the policy.
  void update(const ReplayBatch& batch, int64_t step, Rng& rng) override;
  // value_loss, critic_loss, actor_loss, and the mean of advantage, value and weight.
  std::map<std::string, double> metrics() const override;
  const ControlActor& actor() const override { return policy_.actor(); }
  std::vector<Parameter> state() const override;
  std::string settings() const override;

 private:
  IqlOptions options_;
  RegressedPolicy policy_;
  Mlp value_, critic_, target_critic_;
  std::unique_ptr<AdamW> value_optimizer_, critic_optimizer_;
  at::Tensor value_loss_, critic_loss_, advantages_, values_, weights_;
};

}  // namespace plaudit
