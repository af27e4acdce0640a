#include "plaudit/train/on_policy.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/core/errors.h"
#include "plaudit/env/collect.h"

namespace plaudit {

template <>
void describe(OptionTable<OnPolicyOptions>& t) {
  using O = OnPolicyOptions;
  t.field("iterations", &O::iterations, "of acting and learning", at_least(1));
  t.field("steps", &O::steps, "of the task in an iteration, at least: its last episode is kept whole",
          at_least(1));
  t.field("environments", &O::environments, "side by side", at_least(1));
  t.field("save_every", &O::save_every, "iterations between checkpoints", at_least(1));
}

namespace {

class WholeEpisodes : public Experience {
 public:
  WholeEpisodes(const std::string& environment, const OnPolicyOptions& options, const Rng& rng)
      : environment_(environment), options_(options), seeds_(rng.child("episodes")) {}

  std::string name() const override {
    return environment_ + " " + option_table<OnPolicyOptions>().write(options_).dump();
  }

  bool advance(int64_t, const ControlActor& actor) override {
    const Behaviour behaviour{.act = [&](const at::Tensor& observations, const at::Tensor& noise) {
      return actor.draw(actor.mean(actor.scaled(observations)), noise);
    }};
    const auto log = collect(
        environment_, behaviour,
        {.steps = options_.steps, .side_by_side = options_.environments, .keep_drawn = true}, seeds_.next());
    if (!log.divergences.empty()) {
      const auto& first = log.divergences.front();
      fail(ErrorKind::nan, "train.on_policy",
           fmt::format("{} diverged in the episode of seed {}, step {}: {}", environment_, first.seed,
                       first.step, first.what));
    }
    const auto& data = log.data;
    batch_ = {.observations = data.observations,
              .previous_actions = {},
              .actions = log.drawn,
              .rewards = data.rewards,
              .next_observations = data.next_observations,
              .terminals = data.terminals.to(at::kFloat),
              .lengths = at::diff(data.episode_starts, 1, 0, {}, at::full({1}, data.size(), at::kLong))};
    total_steps_ += batch_.rewards.size(0);
    return true;
  }

  ReplayBatch sample(int64_t, Rng&) const override { return batch_; }
  bool rests() const override { return true; }
  ControlMetrics metrics() const override {
    const auto steps = static_cast<double>(batch_.rewards.size(0)),
               episodes = static_cast<double>(batch_.lengths.size(0));
    return {{"return", batch_.rewards.sum(at::kDouble).item<double>() / episodes},
            {"episodes", episodes},
            {"length", steps / episodes},
            {"environment_steps", static_cast<double>(total_steps_)}};
  }
  Json save() const override { return {{"episodes", seeds_.save()}, {"environment_steps", total_steps_}}; }
  void restore(const Json& saved) override {
    seeds_.restore(saved.at("episodes").get<std::string>());
    total_steps_ = saved.at("environment_steps").get<int64_t>();
  }

 private:
  std::string environment_;
  const OnPolicyOptions& options_;
  Rng seeds_;
  ReplayBatch batch_;
  int64_t total_steps_ = 0;
};

}  // namespace

ControlResult train_on_policy(const std::string& environment, ControlLearner& learner,
                              const OnPolicyOptions& options, ControlContext& context) {
  WholeEpisodes experience(environment, options, context.rng);
  return train_control(experience, learner, {.steps = options.iterations, .save_every = options.save_every},
                       context);
}

}  // namespace plaudit
