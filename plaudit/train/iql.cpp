#include "plaudit/train/iql.h"

#include <ATen/ATen.h>

#include "plaudit/objective/critics.h"
#include "plaudit/objective/imitation.h"
#include "plaudit/objective/offline_value.h"

namespace plaudit {

template <>
void describe(OptionTable<IqlOptions>& t) {
  using O = IqlOptions;
  t.field("expectile", &O::expectile, "of the values of logged actions that V learns; 0.5 is the mean",
          between(0, 1));
  t.field("beta", &O::beta, "inverse temperature of the policy's weights; 0: cloning", at_least(0));
  t.field("max_weight", &O::max_weight, "of an action", greater_than(0));
  t.field("gamma", &O::gamma, "discount", between(0, 1));
  t.field("tau", &O::tau, "share of the weights that target critics take over in an update", between(0, 1));
  t.field("critics", &O::critics, "in the ensemble", at_least(1));
  t.field("quantile", &O::quantile, "over the critics, as V's target (robust IQL: 0.25); absent: the least",
          between(0, 1));
  t.field("huber_sigma", &O::huber_sigma,
          "critics: errors above 1/sigma^2 count linearly (robust IQL: 1); absent: all are squared",
          greater_than(0));
  t.field("target_min", &O::target_min, "targets of the critics are clipped from below (robust IQL: -100)");
  t.field("target_max", &O::target_max, "and from above (robust IQL: 1000)");
  t.field("init", &O::init, "start of the critics' weights: uniform, or small_head (robust IQL)",
          one_of({"uniform", "xavier", "small_head"}));
  t.include(&O::policy);
}

IqlLearner::IqlLearner(int64_t observations, int64_t actions, const IqlOptions& o, int64_t steps,
                       const Rng& rng)
    : options_(o),
      policy_(observations, actions, o.policy, steps, rng),
      value_(mlp_sizes(observations, o.policy.hidden, 1), 0, rng.child("value")),
      critic_(mlp_sizes(observations + actions, o.policy.hidden, 1), o.critics, rng.child("critics"),
              linear_init_of(o.init)),
      target_critic_(critic_.copy()),
      value_optimizer_(adam_of("value", value_.flat())),
      critic_optimizer_(adam_of("critic", critic_.flat())) {}

void IqlLearner::update(const ReplayBatch& batch, int64_t step, Rng&) {
  const auto pairs = at::cat({batch.observations, batch.actions}, 1);
  at::Tensor next_values, q;
  {
    const at::NoGradGuard no_grad;
    next_values = value_(batch.next_observations).squeeze(1);
    const auto all = target_critic_(pairs).squeeze(2);
    q = options_.quantile ? quantile_q(all, *options_.quantile) : all.amin(0);
  }
  const double rate = options_.policy.learning_rate;

  values_ = value_(batch.observations).squeeze(1);
  const auto advantages = q - values_;
  value_loss_ = expectile_loss(advantages, options_.expectile).loss;
  check_finite_loss("iql", "value", value_loss_);
  value_loss_.backward();
  value_optimizer_->step(rate, 1);
  values_ = values_.detach();
  advantages_ = advantages.detach();

  const auto online = critic_(pairs).squeeze(2);
  if (options_.huber_sigma) {
    const RiqlOptions robust{options_.gamma, *options_.huber_sigma, options_.target_min, options_.target_max};
    critic_loss_ = riql_q_loss(online, batch.rewards, batch.terminals, next_values, robust).loss;
  } else {
    const TdTargetOptions clip{options_.gamma, options_.target_min, options_.target_max};
    const auto targets = td_target(batch.rewards, batch.terminals, next_values, clip);
    critic_loss_ = ensemble_q_loss(online, targets) / options_.critics;
  }
  check_finite_loss("iql", "critics", critic_loss_);
  critic_loss_.backward();
  critic_optimizer_->step(rate, 1);
  target_critic_.follow(critic_, options_.tau);

  weights_ = advantage_weights(advantages_, {options_.beta, options_.max_weight});
  policy_.update("iql", batch, weights_, step);
}

std::map<std::string, double> IqlLearner::metrics() const {
  if (!weights_.defined()) return {};
  return {{"value_loss", value_loss_.item<double>()},    {"critic_loss", critic_loss_.item<double>()},
          {"actor_loss", policy_.loss().item<double>()}, {"advantage", advantages_.mean().item<double>()},
          {"value", values_.mean().item<double>()},      {"weight", weights_.mean().item<double>()}};
}

std::vector<Parameter> IqlLearner::state() const {
  std::vector<Parameter> out;
  policy_.add_to(out);
  add_state(out, "", value_.parameters("value"));
  add_state(out, "", critic_.parameters("critic"));
  add_state(out, "", target_critic_.parameters("target_critic"));
  add_state(out, "value_", value_optimizer_->state());
  add_state(out, "critic_", critic_optimizer_->state());
  return out;
}

std::string IqlLearner::settings() const {
  return "iql " + option_table<IqlOptions>().write(options_).dump();
}

}  // namespace plaudit
