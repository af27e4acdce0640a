#include "plaudit/train/ppo.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/objective/advantage.h"
#include "plaudit/objective/policy_gradient.h"
#include "plaudit/objective/returns.h"

namespace plaudit {

template <>
void describe(OptionTable<PpoOptions>& t) {
  using O = PpoOptions;
  t.field("gamma", &O::gamma, "discount", between(0, 1));
  t.field("lambda", &O::lambda, "of the advantages: 0 is one step, 1 is whole returns", between(0, 1));
  t.field("clip", &O::clip, "probability ratios count up to 1 -/+ this", greater_than(0));
  t.field("value_clip", &O::value_clip, "furthest move of a value in an iteration; absent: none",
          greater_than(0));
  t.field("epochs", &O::epochs, "passes over an iteration's transitions", at_least(1));
  t.field("minibatch", &O::minibatch, "transitions of an update", at_least(2));
  t.field("learning_rate", &O::learning_rate, "of Adam", greater_than(0));
  t.field("anneal", &O::anneal, "the learning rate falls to zero over the iterations");
  t.field("entropy_weight", &O::entropy_weight, "of the policy's entropy", at_least(0));
  t.field("max_gradient_norm", &O::max_gradient_norm, "of each network", greater_than(0));
  t.field("target_kl", &O::target_kl, "an iteration ends after a pass beyond 1.5 times this; absent: never",
          greater_than(0));
  t.field("scale_observations", &O::scale_observations,
          "by running mean and deviation, kept with the policy");
  t.field("scale_rewards", &O::scale_rewards, "by the running deviation of discounted returns");
  t.field("hidden", &O::hidden, "layers of policy and value", at_least(1));
  t.field("log_std_start", &O::log_std_start, "log-deviation of actions at the start", between(-5, 2));
}

namespace {

constexpr double kLeastDeviation = 1e-2;  // of an observation: some of Ant's hardly ever move

// [E,T], true where an episode of that length has a step.
at::Tensor steps_of(const at::Tensor& lengths) {
  return at::arange(lengths.max().item<int64_t>()).unsqueeze(0) < lengths.unsqueeze(1);
}

// Transitions [B] as episodes [E,T], zero under the mask.
at::Tensor by_episode(const at::Tensor& flat, const at::Tensor& mask) {
  return at::zeros(mask.sizes(), flat.options()).masked_scatter(mask, flat);
}

void clipped_step(AdamW& optimizer, double learning_rate, double most) {
  optimizer.step(learning_rate, std::max(1.0, optimizer.gradient_norm().item<double>() / most));
}

}  // namespace

PpoLearner::PpoLearner(int64_t observations, int64_t actions, const PpoOptions& o, int64_t iterations,
                       const Rng& rng)
    : options_(o),
      iterations_(iterations),
      actor_({.kind = "gaussian",
              .observations = observations,
              .actions = actions,
              .hidden = o.hidden,
              .log_std_start = o.log_std_start},
             rng.child("actor")),
      critic_(mlp_sizes(observations, o.hidden, 1), 0, rng.child("critic"), LinearInit::xavier),
      actor_optimizer_(std::make_unique<AdamW>(actor_.trainable(), AdamWOptions{})),
      critic_optimizer_(adam_of("critic", critic_.flat())),
      mean_(at::zeros({observations}, at::kDouble)),
      var_(at::ones({observations}, at::kDouble)),
      count_(at::zeros({}, at::kDouble)),
      reward_moments_(at::tensor({0.0, 1.0, 0.0}, at::kDouble)) {
  if (o.scale_observations) actor_.set_scale(mean_, var_);
}

// Chan et al., 1979: moments of what was seen before and of a batch, together.
void PpoLearner::see(const at::Tensor& observations) {
  const auto x = observations.to(at::kDouble);
  const auto n = static_cast<double>(x.size(0));
  const auto d = x.mean(0) - mean_, total = count_ + n;
  var_.copy_((var_ * count_ + x.var(0, /*unbiased=*/false) * n + d.square() * count_ * n / total) / total);
  mean_.add_(d * n / total);
  count_.copy_(total);
  actor_.set_scale(mean_, var_.sqrt().clamp_min(kLeastDeviation));
}

at::Tensor PpoLearner::scaled_rewards(const at::Tensor& rewards, const at::Tensor& mask) {
  if (!options_.scale_rewards) return rewards;
  const auto returns = returns_to_go(rewards, mask, options_.gamma).masked_select(mask).to(at::kDouble);
  auto* m = reward_moments_.mutable_data_ptr<double>();
  const auto now = update_moments({m[0], m[1], m[2]}, returns, /*unbiased_batch_variance=*/false);
  m[0] = now.mean, m[1] = now.var, m[2] = now.count;
  return rewards / std::sqrt(now.var + 1e-8);
}

PpoLearner::Targets PpoLearner::targets(const ReplayBatch& batch) {
  if (!batch.lengths.defined()) bug("train.ppo", "update needs whole episodes");
  const at::NoGradGuard no_grad;
  Targets t{.seen = actor_.scaled(batch.observations), .actions = batch.actions};
  t.logps = actor_.log_density(actor_.mean(t.seen), t.actions);
  t.values = critic_(t.seen).squeeze(1);
  const auto mask = steps_of(batch.lengths);
  auto rewards = scaled_rewards(by_episode(batch.rewards, mask), mask);
  // A time limit is no end of the process: what would have come after it is the critic's guess.
  const auto ends = batch.lengths.cumsum(0) - 1;
  const auto behind = critic_(actor_.scaled(batch.next_observations.index_select(0, ends))).squeeze(1) *
                      (1 - batch.terminals.index_select(0, ends));
  rewards.scatter_add_(1, batch.lengths.unsqueeze(1) - 1, options_.gamma * behind.unsqueeze(1));
  const auto estimate =
      gae(rewards, by_episode(t.values, mask), mask, {.gamma = options_.gamma, .lam = options_.lambda});
  t.advantages = masked_whiten(estimate.advantages, mask).masked_select(mask);
  t.returns = estimate.returns.masked_select(mask);
  return t;
}

double PpoLearner::pass(const Targets& t, double learning_rate, Rng& rng) {
  const auto rows = t.logps.size(0), size = std::min(options_.minibatch, rows);
  const auto order = rng.permutation(rows);
  std::map<std::string, double> sums;
  int64_t count = 0;
  // The rest that does not fill a minibatch waits for another pass.
  for (int64_t from = 0; from + size <= rows; from += size, ++count) {
    const auto index = at::tensor(at::ArrayRef<int64_t>(order).slice(from, size));
    // [minibatch,1]: transitions one by one are answers of one token.
    const auto take = [&](const at::Tensor& x) { return x.index_select(0, index).unsqueeze(1); };
    const auto mask = at::ones({size, 1}, at::kBool);
    const auto seen = t.seen.index_select(0, index);
    const auto logps = actor_.log_density(actor_.mean(seen), t.actions.index_select(0, index));
    const auto policy = ppo_clip_loss(logps.unsqueeze(1), take(t.logps), take(t.advantages), mask,
                                      {.clip = {.low = options_.clip}});
    const auto entropy = actor_.entropy();
    const auto loss = policy.loss - options_.entropy_weight * entropy;
    check_finite_loss("ppo", "policy", loss);
    const auto value_loss =
        ppo_value_loss(critic_(seen), take(t.values), take(t.returns), mask, options_.value_clip);
    check_finite_loss("ppo", "values", value_loss);
    loss.backward();
    value_loss.backward();
    clipped_step(*actor_optimizer_, learning_rate, options_.max_gradient_norm);
    clipped_step(*critic_optimizer_, learning_rate, options_.max_gradient_norm);
    for (const auto& [name, value] :
         std::map<std::string, at::Tensor>{{"policy_loss", policy.loss},
                                           {"value_loss", value_loss},
                                           {"clip_fraction", policy.clip_fraction},
                                           {"approx_kl", policy.approx_kl},
                                           {"entropy", entropy}})
      sums[name] += value.item<double>();
  }
  for (const auto& [name, sum] : sums) metrics_[name] = sum / static_cast<double>(count);
  return metrics_.at("approx_kl");
}

void PpoLearner::update(const ReplayBatch& batch, int64_t step, Rng& rng) {
  const auto t = targets(batch);
  const double left = 1 - static_cast<double>(step - 1) / static_cast<double>(iterations_);
  const double rate = options_.learning_rate * (options_.anneal ? left : 1);
  int64_t passes = 0;
  for (bool go_on = true; go_on && passes < options_.epochs;) {
    const double kl = pass(t, rate, rng);
    ++passes;
    go_on = !options_.target_kl || kl <= 1.5 * *options_.target_kl;
  }
  metrics_["passes"] = static_cast<double>(passes);
  metrics_["explained_variance"] =
      1 - ((t.returns - t.values).var() / t.returns.var().clamp_min(1e-12)).item<double>();
  // Only now: the ratios above are between policies that see alike.
  if (options_.scale_observations) see(batch.observations);
}

std::string PpoLearner::settings() const {
  return "ppo " + option_table<PpoOptions>().write(options_).dump();
}

std::vector<Parameter> PpoLearner::state() const {
  std::vector<Parameter> out;
  add_state(out, "actor.", actor_.parameters());
  add_state(out, "", critic_.parameters("critic"));
  add_state(out, "actor_", actor_optimizer_->state());
  add_state(out, "critic_", critic_optimizer_->state());
  add_state(out, "",
            {{"seen.mean", mean_},
             {"seen.var", var_},
             {"seen.count", count_},
             {"reward_moments", reward_moments_}});
  return out;
}

}  // namespace plaudit
