#include "plaudit/train/regressed_policy.h"

#include <ATen/ATen.h>

#include "plaudit/objective/imitation.h"
#include "plaudit/train/schedule.h"

namespace plaudit {

template <>
void describe(OptionTable<RegressedPolicyOptions>& t) {
  using O = RegressedPolicyOptions;
  t.field("policy", &O::policy,
          "deterministic (tanh of a network), or gaussian about it, with one deviation an action dimension",
          one_of({"deterministic", "gaussian"}));
  t.field("hidden", &O::hidden, "layers of every network", at_least(1));
  t.field("learning_rate", &O::learning_rate, "of Adam, for every network", greater_than(0));
  t.field("schedule", &O::schedule, "of the policy's rate over the run: cosine (to 0) or constant",
          one_of({"cosine", "constant"}));
}

RegressedPolicy::RegressedPolicy(int64_t observations, int64_t actions, const RegressedPolicyOptions& o,
                                 int64_t steps, const Rng& rng)
    : options_(o),
      steps_(steps),
      actor_({.kind = o.policy,
              .observations = observations,
              .actions = actions,
              .hidden = o.hidden,
              .init = "uniform"},
             rng.child("actor")),
      optimizer_(std::make_unique<AdamW>(actor_.trainable(), AdamWOptions{})) {}

void RegressedPolicy::update(const std::string& method, const ReplayBatch& batch, const at::Tensor& weights,
                             int64_t step) {
  const auto mean = actor_.mean(batch.observations);
  loss_ = options_.policy == "gaussian" ? -(weights * actor_.log_density(mean, batch.actions)).mean()
                                        : weighted_bc_loss(mean, batch.actions, weights);
  check_finite_loss(method, "policy", loss_);
  loss_.backward();
  const TrainOptions rate{
      .learning_rate = options_.learning_rate, .schedule = options_.schedule, .warmup = 0};
  optimizer_->step(learning_rate_at(rate, step - 1, steps_), 1);
}

void RegressedPolicy::add_to(std::vector<Parameter>& state) const {
  add_state(state, "actor.", actor_.parameters());
  add_state(state, "actor_", optimizer_->state());
}

void CloningLearner::update(const ReplayBatch& batch, int64_t step, Rng&) {
  policy_.update("bc", batch, at::ones_like(batch.rewards), step);
}

std::map<std::string, double> CloningLearner::metrics() const {
  if (!policy_.loss().defined()) return {};
  return {{"actor_loss", policy_.loss().item<double>()}};
}

std::vector<Parameter> CloningLearner::state() const {
  std::vector<Parameter> out;
  policy_.add_to(out);
  return out;
}

std::string CloningLearner::settings() const {
  return "bc " + option_table<RegressedPolicyOptions>().write(options_).dump();
}

}  // namespace plaudit
