#include "plaudit/env/collect.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "plaudit/core/parallel.h"

namespace plaudit {
namespace {

const Check collect_check("env.collect");

struct Episode {
  std::vector<float> observations, actions, rewards;  // T+1, T and T rows
  std::vector<float> drawn;                           // T rows where they are kept, as of the states
  std::vector<double> qpos, qvel;
  bool terminated = false, diverged = false;
};

// One environment and the episode that runs in it.
struct Slot {
  int64_t episode = -1;  // -1: idle, what happens there is not kept
  Rng rng{0, "idle"};
  double skill = 1;
  Episode log = {};
};

class Collection {
 public:
  Collection(const std::string& task, const Behaviour& behaviour, const CollectOptions& options,
             uint64_t seed)
      : behaviour_(behaviour),
        options_(options),
        seed_(seed),
        slots_(static_cast<size_t>(options.episodes > 0 ? std::min(options.side_by_side, options.episodes)
                                                        : options.side_by_side)),
        env_(task, static_cast<int64_t>(slots_.size()),
             {.threads = options.threads, .refuse_divergence = false}),
        s_(env_.spec().observation.size()),
        a_(env_.spec().action.size()),
        positions_(env_.spec().positions),
        velocities_(env_.spec().velocities),
        exact_(at::empty({env_.size(), s_}, at::kDouble)) {
    collect_check.that(env_.spec().max_steps > 0, "task", "one with a time limit", task);
    for (int64_t k = 0; k < a_; ++k)
      collect_check.that(
          std::isfinite(env_.spec().action.low[k]) && std::isfinite(env_.spec().action.high[k]), "task",
          "one with bounds of action", task);
  }

  CollectedLog run() {
    const at::NoGradGuard no_grad;
    // A policy's products for a few dozen rows cost less than waking LibTorch's threads, which would then
    // wait for those that step the environments.
    const ThreadLimit one_thread(1);
    env_.reset(seed_, observations());
    start_idle();
    while (!complete()) step();
    std::erase_if(divergences_,
                  [this](const Divergence& d) { return d.seed >= seed_ + static_cast<uint64_t>(prefix_); });
    return assembled();
  }

 private:
  double* observations() { return exact_.mutable_data_ptr<double>(); }

  // Steps that the episodes under way will bring, judged by those that ended.
  int64_t expected_steps() const {
    const auto running =
        std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.episode >= 0; });
    const int64_t each = finished_.empty() ? 1 : kept_steps_ / static_cast<int64_t>(finished_.size());
    return kept_steps_ + running * each;
  }
  bool another_is_wanted() const {
    return options_.episodes > 0 ? started_ < options_.episodes : expected_steps() < options_.steps;
  }

  void start_idle() {
    const auto which = std::make_unique<bool[]>(slots_.size());
    std::vector<int64_t> fresh;
    for (size_t i = 0; i < slots_.size(); ++i) {
      which[i] = slots_[i].episode < 0 && another_is_wanted();
      if (!which[i]) continue;
      const auto stream = seed_ + static_cast<uint64_t>(started_);
      env_.seed(static_cast<int64_t>(i), stream);
      slots_[i] = {.episode = started_++, .rng = Rng(stream, "behaviour")};
      slots_[i].skill =
          behaviour_.skill_low + (behaviour_.skill_high - behaviour_.skill_low) * slots_[i].rng.uniform();
      fresh.push_back(static_cast<int64_t>(i));
    }
    if (fresh.empty()) return;
    env_.reset_some(which.get(), observations());
    for (const auto i : fresh) {
      if (options_.at_start) {
        options_.at_start(env_, i, slots_[i].episode);
        env_.observe(i, observations() + i * s_);
      }
      append_observation(slots_[i].log, observations() + i * s_);
    }
  }

  void append_observation(Episode& log, const double* values) const {
    for (int64_t k = 0; k < s_; ++k) log.observations.push_back(static_cast<float>(values[k]));
  }

  // What each environment is told to do, in its own units and exactly as f32.
  std::vector<float> choose() {
    const int64_t n = env_.size();
    auto noise = at::zeros({n, a_}, at::kFloat);
    auto& own = drawn_;
    if (behaviour_.act) {
      for (int64_t i = 0; i < n; ++i)
        for (int64_t k = 0; k < a_; ++k)
          noise.mutable_data_ptr<float>()[i * a_ + k] = static_cast<float>(slots_[i].rng.normal());
      own = behaviour_.act(exact_.to(at::kFloat), noise);
      collect_check.shape("the behaviour's actions", own, {n, a_});
      collect_check.finite("the behaviour's actions", own);
      own = own.to(at::kFloat).contiguous();
    }
    std::vector<float> actions(static_cast<size_t>(n * a_));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < a_; ++k) {
        auto& slot = slots_[i];
        double unit = own.defined() ? own.const_data_ptr<float>()[i * a_ + k] : 2 * slot.rng.uniform() - 1;
        if (own.defined() && slot.skill < 1)
          unit = slot.skill * unit + (1 - slot.skill) * 1.5 * (2 * slot.rng.uniform() - 1);
        const auto& box = env_.spec().action;
        actions[i * a_ + k] = static_cast<float>(box.stretched(k, std::clamp(unit, -1.0, 1.0)));
      }
    return actions;
  }

  void step() {
    const int64_t n = env_.size();
    const auto actions = choose();
    const std::vector<double> given(actions.begin(), actions.end());
    std::vector<double> qpos(n * positions_), qvel(n * velocities_);  // before the step
    if (options_.keep_states)
      for (int64_t i = 0; i < n; ++i)
        env_.get_state(i, qpos.data() + i * positions_, qvel.data() + i * velocities_);
    std::vector<double> rewards(n), next(n * s_);
    const auto flags = [n] { return std::make_unique<bool[]>(n); };
    const auto terminated = flags(), truncated = flags(), valid = flags();
    env_.step(given.data(), {.observations = observations(),
                             .rewards = rewards.data(),
                             .terminated = terminated.get(),
                             .truncated = truncated.get(),
                             .next_observations = next.data(),
                             .valid = valid.get()});
    for (int64_t i = 0; i < n; ++i) {
      auto& slot = slots_[i];
      if (slot.episode < 0) continue;
      slot.log.diverged = !valid[i];
      if (valid[i]) {
        append_observation(slot.log, next.data() + i * s_);
        slot.log.actions.insert(slot.log.actions.end(), actions.begin() + i * a_,
                                actions.begin() + (i + 1) * a_);
        slot.log.rewards.push_back(static_cast<float>(rewards[i]));
        if (options_.keep_drawn) {
          const auto* drawn = drawn_.const_data_ptr<float>() + i * a_;
          slot.log.drawn.insert(slot.log.drawn.end(), drawn, drawn + a_);
        }
        if (options_.keep_states) {
          const auto row = [i](const std::vector<double>& all, int64_t width) {
            return all.begin() + i * width;
          };
          slot.log.qpos.insert(slot.log.qpos.end(), row(qpos, positions_),
                               row(qpos, positions_) + positions_);
          slot.log.qvel.insert(slot.log.qvel.end(), row(qvel, velocities_),
                               row(qvel, velocities_) + velocities_);
        }
        slot.log.terminated = terminated[i];
      }
      if (terminated[i] || truncated[i]) finish(slot);
    }
    start_idle();
  }

  void finish(Slot& slot) {
    if (slot.log.diverged) {
      for (const auto& d : env_.divergences())
        if (d.seed == seed_ + static_cast<uint64_t>(slot.episode)) divergences_.push_back(d);
    } else {
      kept_steps_ += static_cast<int64_t>(slot.log.rewards.size());
    }
    finished_[slot.episode] = std::move(slot.log);
    slot = {};
    const int64_t wanted = options_.episodes > 0 ? options_.episodes : options_.steps;
    if (options_.progress)
      options_.progress(
          std::min(options_.episodes > 0 ? static_cast<int64_t>(finished_.size()) : kept_steps_, wanted),
          wanted);
  }

  // Whether the episodes from the first one on, without a gap, are enough.
  bool complete() {
    for (auto next = finished_.find(prefix_); next != finished_.end(); next = finished_.find(prefix_)) {
      prefix_steps_ += next->second.diverged ? 0 : static_cast<int64_t>(next->second.rewards.size());
      ++prefix_;
      if (enough()) break;
    }
    if (prefix_ >= kMostDivergences && prefix_steps_ == 0)
      collect_check.refuse(
          ErrorKind::empty, "task",
          fmt::format("diverged in each of {} episodes, first with seed {} at step {}: {}", prefix_,
                      divergences_[0].seed, divergences_[0].step, divergences_[0].what));
    return enough();
  }
  bool enough() const {
    return options_.episodes > 0 ? prefix_ >= options_.episodes : prefix_steps_ >= options_.steps;
  }

  CollectedLog assembled() {
    std::vector<Tensor> observations, next, actions, drawn, rewards, terminals, timeouts, qpos, qvel;
    const auto matrix = [](auto& values, int64_t width) {
      return at::from_blob(values.data(), {static_cast<int64_t>(values.size()) / width, width},
                           c10::CppTypeToScalarType<std::decay_t<decltype(values[0])>>::value);
    };
    for (int64_t e = 0; e < prefix_; ++e) {
      auto& log = finished_.at(e);
      if (log.diverged) continue;
      const auto steps = static_cast<int64_t>(log.rewards.size());
      const auto seen = matrix(log.observations, s_);
      observations.push_back(seen.slice(0, 0, steps));
      next.push_back(seen.slice(0, 1));
      actions.push_back(matrix(log.actions, a_));
      if (options_.keep_drawn) drawn.push_back(matrix(log.drawn, a_));
      if (options_.keep_states) {
        qpos.push_back(matrix(log.qpos, positions_));
        qvel.push_back(matrix(log.qvel, velocities_));
      }
      rewards.push_back(matrix(log.rewards, 1).squeeze(1));
      terminals.push_back(at::zeros({steps}, at::kBool));
      timeouts.push_back(at::zeros({steps}, at::kBool));
      (log.terminated ? terminals : timeouts).back()[steps - 1] = true;
    }
    if (rewards.empty()) collect_check.refuse(ErrorKind::empty, "task", "diverged in every episode");
    std::map<std::string, Tensor> infos;
    if (options_.keep_states) infos = {{"qpos", at::cat(qpos)}, {"qvel", at::cat(qvel)}};
    auto data = checked_control_data({.observations = at::cat(observations),
                                      .actions = at::cat(actions),
                                      .rewards = at::cat(rewards),
                                      .next_observations = at::cat(next),
                                      .terminals = at::cat(terminals),
                                      .timeouts = at::cat(timeouts),
                                      .infos = std::move(infos),
                                      .metadata = Json{{"environment", env_.spec().id}}.dump()},
                                     "env.collect");
    return {.data = std::move(data),
            .drawn = drawn.empty() ? Tensor() : at::cat(drawn),
            .divergences = divergences_};
  }

  static constexpr int64_t kMostDivergences = 100;

  const Behaviour& behaviour_;
  const CollectOptions& options_;
  uint64_t seed_;
  std::vector<Slot> slots_;
  VectorEnv env_;
  int64_t s_, a_, positions_, velocities_;
  Tensor exact_;  // [n,S] f64, what each environment shows now
  Tensor drawn_;  // [n,A] f32, what the behaviour gave last
  std::map<int64_t, Episode> finished_;
  std::vector<Divergence> divergences_;
  int64_t started_ = 0, kept_steps_ = 0;
  int64_t prefix_ = 0, prefix_steps_ = 0;  // episodes that ended from the first one on, and their steps
};

}  // namespace

CollectedLog collect(const std::string& task, const Behaviour& behaviour, const CollectOptions& options,
                     uint64_t seed) {
  collect_check.that(options.steps >= 1, "steps", ">= 1", options.steps);
  collect_check.that(options.episodes >= 0, "episodes", ">= 0", options.episodes);
  if (options.keep_drawn && !behaviour.act)
    collect_check.refuse(ErrorKind::value, "keep_drawn", "needs a behaviour that acts");
  collect_check.that(options.side_by_side >= 1, "side_by_side", ">= 1", options.side_by_side);
  collect_check.that(
      0 <= behaviour.skill_low && behaviour.skill_low <= behaviour.skill_high && behaviour.skill_high <= 1,
      "skill_low, skill_high", "ordered in [0, 1]",
      fmt::format("{}, {}", behaviour.skill_low, behaviour.skill_high));
  return Collection(task, behaviour, options, seed).run();
}

}  // namespace plaudit
