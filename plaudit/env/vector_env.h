// Many environments of one task, stepped side by side on threads into the caller's buffers.
//
//   VectorEnv env("HalfCheetah-v5", 8);
//   env.reset(/*seed=*/0, observations);          // environment i draws from seed + i
//   env.step(actions, {observations, rewards, terminated, truncated});
//
// An episode ends when it is terminated (the decision process ended: bootstrap nothing) or truncated (the
// time limit: bootstrap as if it went on). What happens then is AutoReset. The numbers do not depend on
// threads.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/core/worker_pool.h"
#include "plaudit/env/environment.h"

namespace plaudit {

enum class AutoReset {
  // The next step ignores its action, starts an episode and gives its first observation with reward 0.
  next_step,
  // The same step does, and its `observations` hold the first of the next episode.
  same_step,
  // Nothing: to step an ended environment is an error (value) until reset_some().
  off
};

struct VectorEnvOptions {
  AutoReset auto_reset = AutoReset::next_step;
  int64_t threads = 0;     // at most; 0: as many as LibTorch uses
  int64_t max_steps = -1;  // of an episode; -1: the task's own limit, 0: none
  // Options of the task, {"ctrl_cost_weight": 0.5} (make_environment).
  nlohmann::ordered_json task = nlohmann::ordered_json::object();
  // An action outside of the space is an error (value); otherwise it is passed on, and the actuators clip it.
  // One that is not finite is an error (nan) always.
  bool refuse_outside = true;
  // A simulation that diverges is an error (nan) that names environment, seed, episode and step; otherwise
  // the row is marked as not valid, the episode is truncated, and divergences() lists it.
  bool refuse_divergence = true;
};

// Where a step writes; n environments, S observations. Null pointers are not written.
struct StepBuffers {
  double* observations = nullptr;  // [n,S], what to act on next
  double* rewards = nullptr;       // [n]
  bool* terminated = nullptr;      // [n]
  bool* truncated = nullptr;       // [n]
  // [n,S], what the step itself led to: the last observation of an episode that ended, where `observations`
  // already hold the first of the next one; else the same.
  double* next_observations = nullptr;
  // [n], false where the row is no transition: the start of an episode (next_step), or a divergence.
  bool* valid = nullptr;
  // [n,I], beside `observations` and beside `next_observations`.
  double* infos = nullptr;
  double* next_infos = nullptr;
};

struct Divergence {
  int64_t environment = 0;
  uint64_t seed = 0;
  int64_t episode = 0, step = 0;  // both from 0, since the seed was given
  std::string what;
};

// One call at a time. UserErrors name the row: "env.step: actions[2,1] must lie in [-1, 1], got 1.5".
class VectorEnv {
 public:
  // UserErrors: those of make_environment; n < 1, or an option out of range (value).
  VectorEnv(const std::string& id, int64_t n, const VectorEnvOptions& options = {});
  // Continues exactly as `other` would.
  VectorEnv(const VectorEnv& other);
  VectorEnv& operator=(const VectorEnv&) = delete;

  const EnvironmentSpec& spec() const { return environments_.front()->spec(); }
  int64_t size() const { return static_cast<int64_t>(environments_.size()); }
  const VectorEnvOptions& options() const { return options_; }

  // Starts all anew; environment i draws from the stream of seed + i, or of seeds[i]. An environment with a
  // seed has the same episodes wherever it stands, beside however many others.
  void reset(uint64_t seed, double* observations);
  void reset(const std::vector<uint64_t>& seeds, double* observations);
  // Starts all anew without touching the streams, which are those of seed 0 where none was given.
  void reset(double* observations);
  // The same for those with which[i], writing their rows alone.
  void reset_some(const bool* which, double* observations);

  // The stream that the next episodes of one environment draw from.
  void seed(int64_t index, uint64_t seed);

  // Actions [n,A]. They are all checked before anything moves; an error of divergence comes after all moved.
  void step(const double* actions, const StepBuffers& out);

  // Puts one environment into a state, at the start of an episode; the observation [S] is written where
  // given.
  void set_state(int64_t index, const double* qpos, const double* qvel, double* observation = nullptr);
  void get_state(int64_t index, double* qpos, double* qvel) const;
  void observe(int64_t index, double* observation) const { environments_[index]->observe(observation); }
  // The infos [I] after the last reset, step or set_state (Environment::report).
  void report(int64_t index, double* infos) const { environments_[index]->report(infos); }

  const Environment& environment(int64_t index) const { return *environments_[index]; }
  const std::vector<Divergence>& divergences() const { return divergences_; }

 private:
  // What a row knows beside its physics.
  struct Row {
    uint64_t seed = 0;
    Rng rng{0, "env"};
    int64_t episode = -1, step = 0;
    bool ended = true;
    std::optional<Divergence> divergence = {};  // of the step under way
  };

  void check_actions(const double* actions) const;
  void start_episode(int64_t i, double* observations);
  void step_row(int64_t i, const double* actions, const StepBuffers& out);
  void report_divergences();
  VectorEnvOptions options_;
  int64_t max_steps_;
  std::vector<std::unique_ptr<Environment>> environments_;
  std::vector<Row> rows_;
  std::vector<Divergence> divergences_;
  std::unique_ptr<WorkerPool> pool_;
};

}  // namespace plaudit
