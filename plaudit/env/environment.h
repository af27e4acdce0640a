// A simulated task: spaces, reset, step, state. The physics of one task, alone; VectorEnv (vector_env.h) adds
// seeds, time limits, automatic resets and threads, and checks actions.
//
// Everything is f64: an action rounded to f32 moves a HalfCheetah by metres within 200 steps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "plaudit/core/rng.h"

namespace plaudit {

// Bounds of each component; infinite where there is none.
struct Box {
  std::vector<double> low, high;
  int64_t size() const { return static_cast<int64_t>(low.size()); }
  // Component i for a number in [-1,1]: its lower bound for -1, its upper for 1, and not beyond.
  double stretched(int64_t i, double unit) const {
    const auto at = static_cast<size_t>(i);
    return std::clamp(low[at] + (unit + 1) / 2 * (high[at] - low[at]), low[at], high[at]);
  }

  static Box symmetric(int64_t size, double bound) {
    return {std::vector<double>(size, -bound), std::vector<double>(size, bound)};
  }
  static Box unbounded(int64_t size) { return symmetric(size, std::numeric_limits<double>::infinity()); }
};

// Numbers that a task reports beside observation and reward, under a name: "x_position".
struct InfoSpec {
  std::string name;
  int64_t size = -1;      // of an array; -1: a number
  bool at_start = false;  // of a reset, too; else of steps alone
  int64_t width() const { return size < 0 ? 1 : size; }
};

struct EnvironmentSpec {
  std::string id;  // "HalfCheetah-v5"
  Box observation = {}, action = {};
  int64_t positions = 0, velocities = 0;  // sizes of qpos and qvel: the state
  int64_t max_steps = 0;                  // the time limit of an episode; not an end of the decision process
  double dt = 0;                          // seconds of a step
  bool f32_observations = false;          // the type that Gymnasium gives its observations
  std::vector<InfoSpec> infos = {};       // in their order; the sum of their widths is I

  int64_t info_width() const {
    int64_t sum = 0;
    for (const auto& info : infos) sum += info.width();
    return sum;
  }
};

struct Outcome {
  double reward = 0;
  bool terminated = false;         // the decision process ended; a time limit never says so
  const char* diverged = nullptr;  // what broke, when the simulation did: nothing of this step is to be used
};

// Not safe to share between threads; several environments of one task may run side by side.
class Environment {
 public:
  virtual ~Environment() = default;

  virtual const EnvironmentSpec& spec() const = 0;
  // The start of an episode, drawn from the task's distribution.
  virtual void reset(Rng& rng) = 0;
  // `action` [A], taken as given: no check, no clipping beyond what the task itself does.
  virtual Outcome step(const double* action) = 0;
  // The observation [S] after the last reset, step or set_state.
  virtual void observe(double* observation) const = 0;
  // The infos [I] of the last step; after reset or set_state those of a start, the others 0.
  virtual void report(double* infos) const { (void)infos; }
  virtual void get_state(double* qpos, double* qvel) const = 0;
  // As after a reset to this state: nothing of the past, such as a solver's warm start, remains.
  virtual void set_state(const double* qpos, const double* qvel) = 0;
  // Another one of the same task and model, in some state.
  virtual std::unique_ptr<Environment> another() const = 0;
  // Continues exactly as `other`, an environment of the same task, would; allocates nothing.
  virtual void copy_from(const Environment& other) = 0;
};

// The tasks by name: "HalfCheetah-v5", "Pendulum-v1", "point", ...
std::vector<std::string> environment_ids();

// The steps of an episode of each of them, 0 where there is no limit; loads no model.
int64_t time_limit(const std::string& id);

// UserErrors: an unknown id (value, with the nearest one), a model file that is missing or does not load
// (io). The first environment of a task loads its model, later ones share it.
std::unique_ptr<Environment> make_environment(const std::string& id);
// The same with options of the task, {"ctrl_cost_weight": 0.5}; further UserErrors are those of with_options
// (mujoco_options.h), and a task that has none (value). `xml_file` stands for a model file of one's own: a
// path that begins with "/" or ".".
std::unique_ptr<Environment> make_environment(const std::string& id, const nlohmann::ordered_json& options);

}  // namespace plaudit
