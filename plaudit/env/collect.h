// Logs of whole episodes: a behaviour acts in many environments of one task side by side.
//
//   const auto log = collect("HalfCheetah-v5", {.act = policy}, {.steps = 200'000}, /*seed=*/0);
//   write_d4rl("halfcheetah.hdf5", log.data);
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plaudit/data/control_data.h"
#include "plaudit/env/vector_env.h"

namespace plaudit {

struct Behaviour {
  // Actions [B,A] in [-1,1], which are stretched to the task's bounds, of observations [B,S] f32; `noise`
  // [B,A] is standard normal, from a stream of each episode. Empty: uniform actions.
  std::function<Tensor(const Tensor& observations, const Tensor& noise)> act = {};
  // Of each episode one skill u is drawn from [skill_low, skill_high]: its actions are clip(u act + (1-u) 1.5
  // U(-1,1)). 1: act alone.
  double skill_low = 1, skill_high = 1;
};

struct CollectOptions {
  int64_t steps = 200'000;  // at least; the last episode is kept whole
  int64_t episodes = 0;     // > 0: so many instead
  int64_t side_by_side = 32;
  int64_t threads = 0;      // that step environments; 0: as many as LibTorch uses
  bool keep_drawn = false;  // what the behaviour gave, too
  // The states that were acted in, too: infos "qpos" and "qvel" of the data, [M,P] and [M,V] f64.
  bool keep_states = false;
  // Called when an episode has started in an environment, which may be put into another state.
  std::function<void(VectorEnv& env, int64_t index, int64_t episode)> at_start = {};
  std::function<void(int64_t done, int64_t total)> progress = {};
};

struct CollectedLog {
  // With next observations, and the task as `environment` in the metadata; actions as the task took them.
  ControlData data;
  // keep_drawn: the behaviour's actions [M,A] as it gave them, before skill, bounds and stretching.
  Tensor drawn = {};
  // Nothing of an episode whose simulation diverged is in the data; it is named here by seed and step.
  std::vector<Divergence> divergences;
};

// Episode i is the first of seed + i, and they stand in this order, so that the log depends on neither how
// many run side by side nor which end first: no kind of episode is favoured. UserErrors: those of
// make_environment; value for an option out of range or a task without bounds of action or time; shape for a
// behaviour that does not fit the task; nan for its actions; empty when every simulation diverged.
CollectedLog collect(const std::string& task, const Behaviour& behaviour, const CollectOptions& options,
                     uint64_t seed);

}  // namespace plaudit
