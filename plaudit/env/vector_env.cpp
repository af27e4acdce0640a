#include "plaudit/env/vector_env.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

void set(bool* flags, int64_t i, bool value) {
  if (flags != nullptr) flags[i] = value;
}

}  // namespace

VectorEnv::VectorEnv(const std::string& id, int64_t n, const VectorEnvOptions& options) : options_(options) {
  if (n < 1) fail(ErrorKind::value, "env.make_vec", fmt::format("n must be >= 1, got {}", n));
  if (options.threads < 0)
    fail(ErrorKind::value, "env.make_vec", fmt::format("threads must be >= 0, got {}", options.threads));
  if (options.max_steps < -1)
    fail(ErrorKind::value, "env.make_vec", fmt::format("max_steps must be >= -1, got {}", options.max_steps));
  environments_.push_back(make_environment(id, options.task));
  while (size() < n) environments_.push_back(environments_.front()->another());
  rows_.resize(n);
  for (int64_t i = 0; i < n; ++i) seed(i, static_cast<uint64_t>(i));
  pool_ = std::make_unique<WorkerPool>(
      std::min<int64_t>(n, options.threads > 0 ? options.threads : at::get_num_threads()));
  max_steps_ = options.max_steps < 0 ? spec().max_steps : options.max_steps;
}

VectorEnv::VectorEnv(const VectorEnv& other)
    : options_(other.options_),
      max_steps_(other.max_steps_),
      rows_(other.rows_),
      divergences_(other.divergences_),
      pool_(std::make_unique<WorkerPool>(other.pool_->threads())) {
  for (const auto& environment : other.environments_) {
    environments_.push_back(environment->another());
    environments_.back()->copy_from(*environment);
  }
}

void VectorEnv::start_episode(int64_t i, double* observations) {
  auto& row = rows_[i];
  environments_[i]->reset(row.rng);
  ++row.episode;
  row.step = 0;
  row.ended = false;
  if (observations != nullptr) environments_[i]->observe(observations + i * spec().observation.size());
}

void VectorEnv::reset(uint64_t seed, double* observations) {
  std::vector<uint64_t> seeds(size());
  for (size_t i = 0; i < seeds.size(); ++i) seeds[i] = seed + i;
  reset(seeds, observations);
}

void VectorEnv::reset(const std::vector<uint64_t>& seeds, double* observations) {
  if (static_cast<int64_t>(seeds.size()) != size())
    fail(ErrorKind::shape, "env.reset",
         fmt::format("seed must be one number or {}, got {} of them", size(), seeds.size()));
  for (int64_t i = 0; i < size(); ++i) seed(i, seeds[i]);
  divergences_.clear();
  reset(observations);
}

void VectorEnv::seed(int64_t index, uint64_t seed) {
  rows_[index] = {.seed = seed, .rng = Rng(seed, "env")};
}

void VectorEnv::reset(double* observations) {
  pool_->run(static_cast<int64_t>(rows_.size()), [&](int64_t i) { start_episode(i, observations); });
}

void VectorEnv::reset_some(const bool* which, double* observations) {
  pool_->run(static_cast<int64_t>(rows_.size()), [&](int64_t i) {
    if (which[i]) start_episode(i, observations);
  });
}

void VectorEnv::check_actions(const double* actions) const {
  const auto& space = spec().action;
  const int64_t width = space.size();
  for (int64_t i = 0; i < size(); ++i)
    for (int64_t j = 0; j < width; ++j) {
      const double a = actions[i * width + j], low = space.low[j], high = space.high[j];
      if (low <= a && a <= high) continue;
      const auto where = fmt::format("actions[{},{}]", i, j);
      if (!std::isfinite(a)) fail(ErrorKind::nan, "env.step", fmt::format("{} is {}", where, a));
      if (options_.refuse_outside)
        fail(ErrorKind::value, "env.step",
             fmt::format("{} must lie in [{}, {}], got {}", where, low, high, a));
    }
}

void VectorEnv::step_row(int64_t i, const double* actions, const StepBuffers& out) {
  auto& row = rows_[i];
  auto& environment = *environments_[i];
  const int64_t width = spec().observation.size();
  const bool starts = row.ended;
  Outcome outcome;
  bool truncated = false;
  if (starts) {
    start_episode(i, nullptr);
  } else {
    outcome = environment.step(actions + i * spec().action.size());
    if (outcome.diverged != nullptr) {
      row.divergence = {i, row.seed, row.episode, row.step, outcome.diverged};
      environment.reset(row.rng);  // so that every observation is finite
      outcome = {.reward = 0, .terminated = false, .diverged = outcome.diverged};
    }
    ++row.step;
    truncated = outcome.diverged != nullptr || (max_steps_ > 0 && row.step >= max_steps_);
    row.ended = outcome.terminated || truncated;
  }
  if (out.rewards != nullptr) out.rewards[i] = outcome.reward;
  set(out.terminated, i, outcome.terminated);
  set(out.truncated, i, truncated);
  set(out.valid, i, !starts && outcome.diverged == nullptr);
  if (out.next_observations != nullptr) environment.observe(out.next_observations + i * width);
  if (out.next_infos != nullptr) report(i, out.next_infos + i * spec().info_width());
  if (row.ended && options_.auto_reset == AutoReset::same_step) start_episode(i, nullptr);
  if (out.observations != nullptr) environment.observe(out.observations + i * width);
  if (out.infos != nullptr) report(i, out.infos + i * spec().info_width());
}

void VectorEnv::report_divergences() {
  const auto before = divergences_.size();
  for (auto& row : rows_) {
    if (row.divergence) divergences_.push_back(*row.divergence);
    row.divergence.reset();
  }
  if (divergences_.size() == before || !options_.refuse_divergence) return;
  const auto& first = divergences_[before];
  fail(ErrorKind::nan, "env.step",
       fmt::format("environment {} (seed {}) diverged at step {} of episode {}: {}", first.environment,
                   first.seed, first.step, first.episode, first.what));
}

void VectorEnv::step(const double* actions, const StepBuffers& out) {
  check_actions(actions);
  if (options_.auto_reset == AutoReset::off)
    for (int64_t i = 0; i < size(); ++i)
      if (rows_[i].ended)
        fail(ErrorKind::value, "env.step", fmt::format("environment {} has ended: reset it first", i));
  pool_->run(static_cast<int64_t>(rows_.size()), [&](int64_t i) { step_row(i, actions, out); });
  report_divergences();
}

void VectorEnv::set_state(int64_t index, const double* qpos, const double* qvel, double* observation) {
  const auto finite = [&](const char* name, const double* x, int64_t n) {
    for (int64_t k = 0; k < n; ++k)
      if (!std::isfinite(x[k]))
        fail(ErrorKind::nan, "env.set_state", fmt::format("{}[{}] is {}", name, k, x[k]));
  };
  if (index < 0 || index >= size())
    fail(ErrorKind::value, "env.set_state", fmt::format("index must lie in [0, {}), got {}", size(), index));
  finite("qpos", qpos, spec().positions);
  finite("qvel", qvel, spec().velocities);
  environments_[index]->set_state(qpos, qvel);
  auto& row = rows_[index];
  row.step = 0;
  row.ended = false;
  row.episode = std::max<int64_t>(row.episode, 0);
  if (observation != nullptr) environments_[index]->observe(observation);
}

void VectorEnv::get_state(int64_t index, double* qpos, double* qvel) const {
  if (index < 0 || index >= size())
    fail(ErrorKind::value, "env.get_state", fmt::format("index must lie in [0, {}), got {}", size(), index));
  environments_[index]->get_state(qpos, qvel);
}

}  // namespace plaudit
