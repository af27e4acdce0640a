#include "plaudit/train/td3_bc.h"

#include <ATen/ATen.h>

#include "plaudit/objective/critics.h"
#include "plaudit/objective/imitation.h"

namespace plaudit {

template <>
void describe(OptionTable<Td3BcOptions>& t) {
  using O = Td3BcOptions;
  t.field("alpha", &O::alpha, "weight of Q against the logged actions, in units of the mean of |Q|",
          at_least(0));
  t.field("gamma", &O::gamma, "discount", between(0, 1));
  t.field("tau", &O::tau, "share of the weights that targets take over in their update", between(0, 1));
  t.field("learning_rate", &O::learning_rate, "of Adam, for both networks", greater_than(0));
  t.field("target_noise", &O::target_noise, "deviation of the noise of target actions", at_least(0));
  t.field("noise_clip", &O::noise_clip, "of that noise", at_least(0));
  t.field("actor_every", &O::actor_every, "updates of the critics for one of the actor and the targets",
          at_least(1));
  t.field("hidden", &O::hidden, "layers of actor and critics", at_least(1));
}

Td3BcLearner::Td3BcLearner(int64_t observations, int64_t actions, const Td3BcOptions& o, const Rng& rng)
    : options_(o),
      actor_({.kind = "deterministic",
              .observations = observations,
              .actions = actions,
              .hidden = o.hidden,
              .init = "uniform"},
             rng.child("actor")),
      target_actor_(actor_.copy()),
      critic_(mlp_sizes(observations + actions, o.hidden, 1), 2, rng.child("critics")),
      frozen_critic_(critic_.frozen()),
      target_critic_(critic_.copy()),
      actor_optimizer_(std::make_unique<AdamW>(actor_.trainable(), AdamWOptions{})),
      critic_optimizer_(adam_of("critic", critic_.flat())) {}

void Td3BcLearner::update_critics(const ReplayBatch& batch, Rng& rng) {
  at::Tensor target;
  {
    const at::NoGradGuard no_grad;
    const auto noise = rng.normal_tensor(batch.actions.sizes());
    const auto next = td3_smoothed_action(target_actor_.mean(batch.next_observations), noise,
                                          {.sigma = options_.target_noise, .clip = options_.noise_clip});
    const auto next_q = target_critic_(at::cat({batch.next_observations, next}, 1)).squeeze(2);
    target = td3_target(batch.rewards, batch.terminals, next_q, options_.gamma);
  }
  critic_loss_ = ensemble_q_loss(critic_(at::cat({batch.observations, batch.actions}, 1)).squeeze(2), target);
  check_finite_loss("td3-bc", "critics", critic_loss_);
  critic_loss_.backward();
  critic_optimizer_->step(options_.learning_rate, 1);
}

void Td3BcLearner::update_actor(const ReplayBatch& batch) {
  const auto actions = actor_.mean(batch.observations);
  const auto q = frozen_critic_(at::cat({batch.observations, actions}, 1)).select(0, 0);
  bc_loss_ = rcsl_loss(actions, batch.actions);
  actor_loss_ = -options_.alpha / q.abs().mean().detach() * q.mean() + bc_loss_;
  check_finite_loss("td3-bc", "actor", actor_loss_);
  actor_loss_.backward();
  actor_optimizer_->step(options_.learning_rate, 1);
}

void Td3BcLearner::update(const ReplayBatch& batch, int64_t step, Rng& rng) {
  update_critics(batch, rng);
  if (step % options_.actor_every != 0) return;
  update_actor(batch);
  target_critic_.follow(critic_, options_.tau);
  target_actor_.follow(actor_, options_.tau);
}

std::map<std::string, double> Td3BcLearner::metrics() const {
  std::map<std::string, double> out;
  add_computed(out, "critic_loss", critic_loss_);
  add_computed(out, "actor_loss", actor_loss_);
  add_computed(out, "bc_loss", bc_loss_);
  return out;
}

std::vector<Parameter> Td3BcLearner::state() const {
  std::vector<Parameter> out;
  add_state(out, "actor.", actor_.parameters());
  add_state(out, "target_actor.", target_actor_.parameters());
  add_state(out, "", critic_.parameters("critic"));
  add_state(out, "", target_critic_.parameters("target_critic"));
  add_state(out, "actor_", actor_optimizer_->state());
  add_state(out, "critic_", critic_optimizer_->state());
  return out;
}

std::string Td3BcLearner::settings() const {
  return "td3-bc " + option_table<Td3BcOptions>().write(options_).dump();
}

}  // namespace plaudit
