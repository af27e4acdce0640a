#include "plaudit/train/off_policy.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/errors.h"

namespace plaudit {

template <>
void describe(OptionTable<OffPolicyOptions>& t) {
  using O = OffPolicyOptions;
  t.field("steps", &O::steps, "of the environment", at_least(1));
  t.field("random_steps", &O::random_steps, "at the start, with uniform actions and no update", at_least(1));
  t.field("batch", &O::batch, "transitions of an update; there is one update a step", at_least(1));
  t.field("buffer", &O::buffer, "transitions that are kept", at_least(1));
  t.field("save_every", &O::save_every, "steps between checkpoints", at_least(1));
}

namespace {

void check_box(const EnvironmentSpec& spec) {
  for (size_t i = 0; i < spec.action.low.size(); ++i)
    if (!std::isfinite(spec.action.low[i]) || !std::isfinite(spec.action.high[i]))
      fail(ErrorKind::value, "train.off_policy",
           fmt::format("{}: action {} must have finite bounds, has [{}, {}]", spec.id, i, spec.action.low[i],
                       spec.action.high[i]));
}

class Acting : public Experience {
 public:
  Acting(Environment& environment, const OffPolicyOptions& options, const Rng& rng)
      : environment_(environment),
        options_(options),
        observations_(environment.spec().observation.size()),
        actions_(environment.spec().action.size()),
        buffer_(std::min(options.buffer, options.steps), observations_, actions_),
        starts_(rng.child("starts")),
        acting_(rng.child("acting")),
        previous_(static_cast<size_t>(actions_)),
        action_(previous_),
        stretched_(static_cast<size_t>(actions_)) {}

  std::string name() const override {
    return environment_.spec().id + " " + option_table<OffPolicyOptions>().write(options_).dump();
  }

  bool advance(int64_t step, const ControlActor& actor) override {
    if (ended_) start();
    const bool random = step <= options_.random_steps;
    if (random)
      for (auto& a : action_) a = static_cast<float>(2 * acting_.uniform() - 1);
    else
      choose(actor);
    act();
    return !random;
  }

  ReplayBatch sample(int64_t batch, Rng& rng) const override { return buffer_.sample(batch, rng); }
  bool rests() const override { return ended_; }
  ControlMetrics metrics() const override {
    return {{"return", return_}, {"episodes", static_cast<double>(episodes_)}};
  }

  std::vector<Parameter> state() const override {
    std::vector<Parameter> out;
    for (const auto& [name, column] : buffer_.columns()) out.push_back({"buffer." + name, column});
    return out;
  }
  Json save() const override {
    return {{"episodes", episodes_},
            {"buffer_size", buffer_.size()},
            {"buffer_next", buffer_.next()},
            {"starts", starts_.save()},
            {"acting", acting_.save()}};
  }
  void restore(const Json& saved) override {
    episodes_ = saved.at("episodes").get<int64_t>();
    buffer_.restore(saved.at("buffer_size").get<int64_t>(), saved.at("buffer_next").get<int64_t>());
    starts_.restore(saved.at("starts").get<std::string>());
    acting_.restore(saved.at("acting").get<std::string>());
  }

 private:
  std::vector<float> observe() const {
    std::vector<double> exact(static_cast<size_t>(observations_));
    environment_.observe(exact.data());
    return {exact.begin(), exact.end()};
  }

  void start() {
    environment_.reset(starts_);
    observation_ = observe();
    std::fill(previous_.begin(), previous_.end(), 0.0F);
    return_ = 0;
    length_ = 0;
    ended_ = false;
  }

  void choose(const ControlActor& actor) {
    const at::NoGradGuard no_grad;
    const auto row = [](const std::vector<float>& v) {
      return at::from_blob(const_cast<float*>(v.data()), {1, static_cast<int64_t>(v.size())}, at::kFloat);
    };
    const auto drawn =
        actor.sample(row(observation_), row(previous_), acting_.normal_tensor({1, 1, actions_}))
            .actions.contiguous();
    std::copy_n(drawn.const_data_ptr<float>(), actions_, action_.begin());
  }

  void act() {
    const auto& spec = environment_.spec();
    for (int64_t i = 0; i < actions_; ++i)
      stretched_[static_cast<size_t>(i)] = spec.action.stretched(i, action_[static_cast<size_t>(i)]);
    const auto outcome = environment_.step(stretched_.data());
    if (outcome.diverged != nullptr)
      fail(ErrorKind::nan, "train.off_policy",
           fmt::format("{} diverged in episode {}, step {}: {}", spec.id, episodes_, length_,
                       outcome.diverged));
    auto next = observe();
    buffer_.add(observation_.data(), previous_.data(), action_.data(), static_cast<float>(outcome.reward),
                next.data(), outcome.terminated);
    return_ += outcome.reward;
    observation_ = std::move(next);
    previous_ = action_;
    ++length_;
    ended_ = outcome.terminated || (spec.max_steps > 0 && length_ >= spec.max_steps);
    if (ended_) ++episodes_;
  }

  Environment& environment_;
  const OffPolicyOptions& options_;
  int64_t observations_, actions_;
  ReplayBuffer buffer_;
  Rng starts_, acting_;
  std::vector<float> observation_, previous_, action_;
  std::vector<double> stretched_;
  bool ended_ = true;
  int64_t episodes_ = 0, length_ = 0;
  double return_ = 0;
};

}  // namespace

ControlResult train_off_policy(Environment& environment, ControlLearner& learner,
                               const OffPolicyOptions& options, ControlContext& context) {
  check_box(environment.spec());
  Acting experience(environment, options, context.rng);
  return train_control(experience, learner,
                       {.steps = options.steps, .batch = options.batch, .save_every = options.save_every},
                       context);
}

}  // namespace plaudit
