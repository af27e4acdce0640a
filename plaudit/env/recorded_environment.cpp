#include "plaudit/env/recorded_environment.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"

namespace plaudit {

RecordedEnvironment::RecordedEnvironment(std::unique_ptr<Environment> inner, std::string path)
    : inner_(std::move(inner)),
      path_(std::move(path)),
      observation_(static_cast<size_t>(inner_->spec().observation.size())),
      state_(static_cast<size_t>(states())) {}

int64_t RecordedEnvironment::states() const {
  return spec().positions + spec().velocities;
}

int64_t RecordedEnvironment::width() const {
  return 2 * spec().observation.size() + spec().action.size() + 3 + 2 * states();
}

void RecordedEnvironment::look() {
  inner_->observe(observation_.data());
  inner_->get_state(state_.data(), state_.data() + spec().positions);
}

void RecordedEnvironment::end_episode() {
  if (running_) rows_[rows_.size() - 1 - static_cast<size_t>(2 * states())] = 1;
  running_ = false;
}

void RecordedEnvironment::reset(Rng& rng) {
  end_episode();
  inner_->reset(rng);
  look();
}

void RecordedEnvironment::set_state(const double* qpos, const double* qvel) {
  end_episode();
  inner_->set_state(qpos, qvel);
  look();
}

Outcome RecordedEnvironment::step(const double* action) {
  const auto outcome = inner_->step(action);
  if (outcome.diverged != nullptr) return outcome;
  const auto put = [this](const double* values, int64_t n) {
    for (int64_t k = 0; k < n; ++k) rows_.push_back(static_cast<float>(values[k]));
  };
  const auto before = state_;
  put(observation_.data(), spec().observation.size());
  put(action, spec().action.size());
  put(&outcome.reward, 1);
  look();
  put(observation_.data(), spec().observation.size());
  rows_.push_back(outcome.terminated ? 1.0F : 0.0F);
  rows_.push_back(outcome.terminated ? 1.0F : 0.0F);
  rows_.resize(rows_.size() + 2 * before.size());
  std::memcpy(rows_.data() + rows_.size() - 2 * before.size(), before.data(), before.size() * sizeof(double));
  running_ = !outcome.terminated;
  ++unsaved_;
  return outcome;
}

void RecordedEnvironment::flush(int64_t total) {
  end_episode();
  if (path_.empty()) return;
  namespace fs = std::filesystem;
  const auto bytes = width() * static_cast<int64_t>(sizeof(float));
  const int64_t earlier = total - unsaved_;
  if (!flushed_) {
    const auto there = fs::exists(path_) ? static_cast<int64_t>(fs::file_size(path_)) : 0;
    if (there < earlier * bytes)
      fail(
          ErrorKind::io, path_,
          fmt::format("holds {} steps, the checkpoint is of {}: start the run anew", there / bytes, earlier));
    if (there > earlier * bytes) fs::resize_file(path_, static_cast<uintmax_t>(earlier * bytes));
    flushed_ = true;
  }
  std::ofstream file(path_, std::ios::binary | std::ios::app);
  file.write(reinterpret_cast<const char*>(rows_.data()), unsaved_ * bytes);
  file.close();
  if (!file) fail(ErrorKind::io, path_, "cannot be written");
  rows_.clear();
  unsaved_ = 0;
}

ControlData RecordedEnvironment::log(int64_t rows) const {
  auto all = rows_;
  if (!path_.empty()) {
    const auto bytes = read_file(path_);
    all.resize(bytes.size() / sizeof(float));
    std::copy_n(bytes.data(), all.size() * sizeof(float), reinterpret_cast<char*>(all.data()));
  }
  const int64_t s = spec().observation.size(), a = spec().action.size();
  const auto there = static_cast<int64_t>(all.size()) / width();
  if (rows < 1 || rows > there)
    fail(ErrorKind::value, "env.recorded", fmt::format("rows must lie in [1, {}], got {}", there, rows));
  const auto table = at::from_blob(all.data(), {there, width()}, at::kFloat).narrow(0, 0, rows).clone();
  const auto columns = table.split_with_sizes({s, a, 1, s, 1, 1, 2 * states()}, 1);
  const auto state = columns[6].contiguous().view(at::kDouble);
  const auto terminals = columns[4].squeeze(1).ne(0), ends = columns[5].squeeze(1).ne(0);
  return checked_control_data(
      {.observations = columns[0],
       .actions = columns[1],
       .rewards = columns[2].squeeze(1),
       .next_observations = columns[3],
       .terminals = terminals,
       .timeouts = ends.logical_and(terminals.logical_not()),
       .infos = {{"qpos", state.narrow(1, 0, spec().positions).contiguous()},
                 {"qvel", state.narrow(1, spec().positions, spec().velocities).contiguous()}},
       .metadata = Json{{"environment", spec().id}}.dump()},
      path_.empty() ? "env.recorded" : path_);
}

}  // namespace plaudit
