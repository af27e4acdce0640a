#include "plaudit/train/off_policy.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/train/checkpoint.h"

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

class OffPolicyRun {
 public:
  OffPolicyRun(Environment& environment, SacLearner& learner, const OffPolicyOptions& options,
               OffPolicyContext& context)
      : environment_(environment),
        learner_(learner),
        options_(options),
        context_(context),
        observations_(environment.spec().observation.size()),
        actions_(environment.spec().action.size()),
        buffer_(std::min(options.buffer, options.steps), observations_, actions_),
        starts_(context.rng.child("starts")),
        acting_(context.rng.child("acting")),
        learning_(context.rng.child("learning")) {}

  OffPolicyResult run() {
    resume();
    while (result_.steps < options_.steps && !result_.interrupted) {
      episode();
      result_.interrupted = context_.interrupt && context_.interrupt();
      const bool due = result_.steps - saved_ >= options_.save_every || result_.steps >= options_.steps;
      if (!context_.folder.empty() && (due || result_.interrupted)) save();
    }
    return result_;
  }

 private:
  std::vector<float> observe() const {
    std::vector<double> exact(static_cast<size_t>(observations_));
    environment_.observe(exact.data());
    return {exact.begin(), exact.end()};
  }

  void choose(const std::vector<float>& observation, const std::vector<float>& previous,
              std::vector<float>& action) {
    if (result_.steps < options_.random_steps) {
      for (auto& a : action) a = static_cast<float>(2 * acting_.uniform() - 1);
      return;
    }
    const at::NoGradGuard no_grad;
    const auto row = [](const std::vector<float>& v) {
      return at::from_blob(const_cast<float*>(v.data()), {1, static_cast<int64_t>(v.size())}, at::kFloat);
    };
    const auto drawn = learner_.actor()
                           .sample(row(observation), row(previous), acting_.normal_tensor({1, 1, actions_}))
                           .actions.contiguous();
    std::copy_n(drawn.const_data_ptr<float>(), actions_, action.begin());
  }

  void episode() {
    const auto& spec = environment_.spec();
    environment_.reset(starts_);
    auto observation = observe();
    std::vector<float> previous(static_cast<size_t>(actions_), 0), action = previous;
    std::vector<double> stretched(static_cast<size_t>(actions_));
    double episode_return = 0;
    for (int64_t t = 0; result_.steps < options_.steps; ++t) {
      choose(observation, previous, action);
      for (int64_t i = 0; i < actions_; ++i)
        stretched[static_cast<size_t>(i)] = spec.action.stretched(i, action[static_cast<size_t>(i)]);
      const auto outcome = environment_.step(stretched.data());
      if (outcome.diverged != nullptr)
        fail(ErrorKind::nan, "train.off_policy",
             fmt::format("{} diverged in episode {}, step {}: {}", spec.id, result_.episodes, t,
                         outcome.diverged));
      const auto next = observe();
      buffer_.add(observation.data(), previous.data(), action.data(), static_cast<float>(outcome.reward),
                  next.data(), outcome.terminated);
      episode_return += outcome.reward;
      observation = next;
      previous = action;
      ++result_.steps;
      if (result_.steps > options_.random_steps)
        learner_.update(buffer_.sample(options_.batch, learning_), result_.steps, learning_);
      if (context_.progress && result_.steps % 100 == 0) context_.progress(result_.steps, options_.steps);
      if (outcome.terminated || (spec.max_steps > 0 && t + 1 >= spec.max_steps)) break;
    }
    ++result_.episodes;
    if (context_.episode) context_.episode(result_.steps, episode_return, learner_.metrics());
  }

  // Data of another run must not be gone on with.
  std::string fingerprint() const {
    return option_table<OffPolicyOptions>().write(options_).dump() +
           option_table<SacOptions>().write(learner_.options()).dump() + context_.rng.save();
  }

  std::vector<Parameter> tensors() const {
    auto out = learner_.state();
    for (const auto& [name, column] : buffer_.columns()) out.push_back({"buffer." + name, column});
    return out;
  }

  void save() {
    saved_ = result_.steps;
    save_checkpoint(context_.folder, saved_, tensors(),
                    {{"environment", environment_.spec().id},
                     {"options", fingerprint()},
                     {"steps", result_.steps},
                     {"episodes", result_.episodes},
                     {"buffer_size", buffer_.size()},
                     {"buffer_next", buffer_.next()},
                     {"starts", starts_.save()},
                     {"acting", acting_.save()},
                     {"learning", learning_.save()}});
  }

  void resume() {
    const auto files =
        context_.folder.empty() ? std::vector<CheckpointFile>{} : list_checkpoints(context_.folder);
    if (files.empty()) return;
    const auto& path = files.front().path;
    const auto info = read_checkpoint_info(path);
    if (info.at("environment") != environment_.spec().id)
      fail(ErrorKind::value, path,
           "is of " + info.at("environment").get<std::string>() + ", not of " + environment_.spec().id);
    if (info.at("options") != fingerprint())
      fail(ErrorKind::value, path,
           "is of a run with other options or another seed: " + info.at("options").dump());
    load_checkpoint(path, tensors());
    result_.steps = result_.resumed_from = saved_ = info.at("steps").get<int64_t>();
    result_.episodes = info.at("episodes").get<int64_t>();
    buffer_.restore(info.at("buffer_size").get<int64_t>(), info.at("buffer_next").get<int64_t>());
    starts_.restore(info.at("starts").get<std::string>());
    acting_.restore(info.at("acting").get<std::string>());
    learning_.restore(info.at("learning").get<std::string>());
  }

  Environment& environment_;
  SacLearner& learner_;
  const OffPolicyOptions& options_;
  OffPolicyContext& context_;
  int64_t observations_, actions_;
  ReplayBuffer buffer_;
  Rng starts_, acting_, learning_;
  OffPolicyResult result_;
  int64_t saved_ = 0;
};

}  // namespace

OffPolicyResult train_off_policy(Environment& environment, SacLearner& learner,
                                 const OffPolicyOptions& options, OffPolicyContext& context) {
  check_box(environment.spec());
  return OffPolicyRun(environment, learner, options, context).run();
}

}  // namespace plaudit
