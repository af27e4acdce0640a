#include "plaudit/train/sac.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/objective/critics.h"
#include "plaudit/objective/sac.h"

namespace plaudit {

template <>
void describe(OptionTable<SacOptions>& t) {
  using O = SacOptions;
  t.field("sequence", &O::sequence, "actions of a decision; above 1 the actor is recurrent and has a model",
          at_least(1));
  t.field("gamma", &O::gamma, "discount", between(0, 1));
  t.field("tau", &O::tau, "share of the weights that target networks take over in an update", between(0, 1));
  t.field("learning_rate", &O::learning_rate, "of Adam, for all networks and the temperature",
          greater_than(0));
  t.field("temperature", &O::temperature, "at the start", greater_than(0));
  t.field("target_entropy", &O::target_entropy, "of an action; absent: minus its dimensions");
  t.field("reward_scale", &O::reward_scale, "factor of rewards inside the learner", greater_than(0));
  t.field("critics", &O::critics, "whose least value counts", at_least(1));
  t.field("hidden", &O::hidden, "layers of actor and critics", at_least(1));
  t.field("model_hidden", &O::model_hidden, "sequence > 1: layers of the model", at_least(1));
  t.field("recall", &O::recall, "sequence > 1: states by the slow copy of the model, or by the model itself",
          one_of({"slow", "online"}));
  t.field(
      "init", &O::init,
      "start of the weights: xavier (biases zero), uniform (within 1/sqrt(inputs), biases too) or small_head "
      "(as EDAC: hidden biases 0.1, small last layers)",
      one_of({"xavier", "uniform", "small_head"}));
  t.field("actor_every", &O::actor_every, "updates of the critics for one of the actor (1; sequence > 1: 4)",
          at_least(1));
  t.field("order", &O::order, "of an update: critics-first, or actor-first, as the offline methods",
          one_of({"critics-first", "actor-first"}));
  t.field("diversity", &O::diversity, "weight of the likeness of the critics' gradients by the action (EDAC)",
          at_least(0));
  t.field("log_std_min", &O::log_std_min, "least log-deviation of the policy", between(-20, 2));
}

SacOptions edac_options() {
  SacOptions o{.temperature = 1, .critics = 10, .hidden = {256, 256, 256}, .init = "small_head"};
  o.order = "actor-first";
  o.diversity = 1;
  o.log_std_min = -5;
  return o;
}

SacLearner::SacLearner(int64_t observations, int64_t actions, const SacOptions& o, const Rng& rng)
    : options_(o),
      actions_(actions),
      actor_({o.sequence > 1 ? "gru" : "mlp", observations, actions, o.hidden, o.init, o.log_std_min},
             rng.child("actor")),
      critic_(mlp_sizes(observations + actions, o.hidden, 1), o.critics, rng.child("critics"),
              linear_init_of(o.init)),
      frozen_critic_(critic_.frozen()),
      target_critic_(critic_.copy()),
      log_temperature_(at::full({}, std::log(o.temperature), at::kFloat).set_requires_grad(true)),
      actor_optimizer_(std::make_unique<AdamW>(actor_.trainable(), AdamWOptions{})),
      critic_optimizer_(adam_of("critic", critic_.flat())),
      temperature_optimizer_(adam_of("log_temperature", log_temperature_)) {
  if (o.sequence == 1) return;
  model_ = Mlp(mlp_sizes(observations + actions, o.model_hidden, observations), 0, rng.child("model"),
               linear_init_of(o.init));
  frozen_model_ = model_.frozen();
  slow_model_ = model_.copy();
  model_optimizer_ = adam_of("model", model_.flat());
}

void SacLearner::update_critics(const ReplayBatch& batch, Rng& rng) {
  at::Tensor target;
  {
    const at::NoGradGuard no_grad;
    const auto noise = rng.normal_tensor({batch.actions.size(0), 1, actions_});
    const auto next = actor_.sample(batch.next_observations, batch.actions, noise);
    const auto next_q =
        target_critic_(at::cat({batch.next_observations, next.actions.select(1, 0)}, 1)).squeeze(2);
    target = soft_q_target(options_.reward_scale * batch.rewards, batch.terminals, next_q,
                           next.logps.select(1, 0), log_temperature_.exp(), options_.gamma);
  }
  const auto pairs = at::cat({batch.observations, batch.actions}, 1);
  const auto q = critic_(pairs).squeeze(2);
  critic_loss_ = ensemble_q_loss(q, target);
  check_finite_loss("sac", "critics", critic_loss_);
  if (options_.diversity > 0) {
    const auto slopes = critic_.input_gradient(pairs, batch.observations.size(1));
    diversity_ = edac_diversity(slopes);
    (critic_loss_ + options_.diversity * diversity_).backward();
  } else {
    critic_loss_.backward();
  }
  critic_optimizer_->step(options_.learning_rate, 1);
  target_critic_.follow(critic_, options_.tau);
}

void SacLearner::update_model(const ReplayBatch& batch) {
  const auto predicted = model_(at::cat({batch.observations, batch.actions}, 1));
  model_loss_ = at::mse_loss(predicted, batch.next_observations);
  check_finite_loss("sac", "model", model_loss_);
  model_loss_.backward();
  model_optimizer_->step(options_.learning_rate, 1);
  slow_model_.follow(model_, options_.tau);
}

at::Tensor SacLearner::recall(const at::Tensor& observations, const at::Tensor& actions) const {
  const at::NoGradGuard no_grad;
  const auto& model = options_.recall == "slow" ? slow_model_ : frozen_model_;
  std::vector<at::Tensor> states = {observations};
  for (int64_t j = 0; j + 1 < actions.size(1); ++j)
    states.push_back(model(at::cat({states.back(), actions.select(1, j)}, 1)));
  return at::stack(states, 1);
}

void SacLearner::update_actor(const ReplayBatch& batch, Rng& rng) {
  const int64_t rows = batch.actions.size(0), length = options_.sequence;
  const auto noise = rng.normal_tensor({rows, length, actions_});
  const auto drawn = actor_.sample(batch.observations, batch.previous_actions, noise);
  const auto states = recall(batch.observations, drawn.actions);
  // Gradients flow through the actions alone: critics are frozen, recalled states have no graph.
  const auto q = frozen_critic_(at::cat({states, drawn.actions}, 2).flatten(0, 1));
  actor_loss_ =
      sequence_actor_loss(drawn.logps, q.view({-1, rows, length}), log_temperature_.detach().exp()).loss;
  check_finite_loss("sac", "actor", actor_loss_);
  actor_loss_.backward();
  actor_optimizer_->step(options_.learning_rate, 1);

  const double entropy = options_.target_entropy.value_or(-static_cast<double>(actions_));
  sequence_temperature_loss(log_temperature_, drawn.logps, entropy).backward();
  temperature_optimizer_->step(options_.learning_rate, 1);
}

void SacLearner::update(const ReplayBatch& batch, int64_t step, Rng& rng) {
  const auto every = options_.actor_every.value_or(options_.sequence > 1 ? 4 : 1);
  const bool actor = step % every == 0, first = options_.order == "actor-first";
  if (actor && first) update_actor(batch, rng);
  update_critics(batch, rng);
  if (options_.sequence > 1) update_model(batch);
  if (actor && !first) update_actor(batch, rng);
}

std::map<std::string, double> SacLearner::metrics() const {
  std::map<std::string, double> out = {{"temperature", std::exp(log_temperature_.item<double>())}};
  add_computed(out, "critic_loss", critic_loss_);
  add_computed(out, "model_loss", model_loss_);
  add_computed(out, "actor_loss", actor_loss_);
  add_computed(out, "diversity", diversity_);
  return out;
}

std::string SacLearner::settings() const {
  return "sac " + option_table<SacOptions>().write(options_).dump();
}

std::vector<Parameter> SacLearner::state() const {
  std::vector<Parameter> out;
  const auto add = [&](const std::string& prefix, const std::vector<Parameter>& tensors) {
    add_state(out, prefix, tensors);
  };
  add("actor.", actor_.parameters());
  add("", critic_.parameters("critic"));
  add("", target_critic_.parameters("target_critic"));
  add("", {{"log_temperature", log_temperature_}});
  add("actor_", actor_optimizer_->state());
  add("critic_", critic_optimizer_->state());
  add("temperature_", temperature_optimizer_->state());
  if (options_.sequence > 1) {
    add("", model_.parameters("model"));
    add("", slow_model_.parameters("slow_model"));
    add("model_", model_optimizer_->state());
  }
  return out;
}

}  // namespace plaudit
