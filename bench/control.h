// `plaudit bench control`: environment steps per second of the control tasks, beside a bare loop around
// mj_step that replays the same episodes, and beside Gymnasium's own environments; updates per second of the
// learners (control_updates.h).
#pragma once

#include <string>
#include <vector>

#include "bench/bench.h"

namespace plaudit::bench {

struct ControlOptions {
  std::vector<std::string> tasks = {"HalfCheetah-v5", "Hopper-v5", "Walker2d-v5", "Ant-v5", "Humanoid-v5"};
  std::vector<std::string> learners = {"iql", "sac"};
  int64_t environments = 64;  // of the vector; the peer's has 8
  double seconds = 1;         // of each measurement
  int64_t repeats = 3;        // rounds, ours and the peers in turns
  bool peers = true;
  std::string peer_scripts = "";  // folder; "": bench/peers beside the program's build folder
};

// Two jobs a task. "TASK": one environment on one thread against one of Gymnasium; its limit is the bare
// loop. "TASK x64": `environments` of them on all threads against the best of Gymnasium's vectors of 8 (sync,
// async); its limit is the rate of one thread times the threads. UserErrors: an option out of range, an
// unknown task (value).
BenchReport run_control(const ControlOptions& options);

// Episodes of a task under random actions, to be replayed.
struct Recording {
  struct Start {
    size_t step;
    std::vector<double> qpos, qvel;
  };
  std::vector<double> actions;  // [steps, A]
  std::vector<Start> starts;
  size_t steps = 0;
};

// Seconds of replaying the episodes by mj_step alone, on the model as its file has it.
double replay_bare(const std::string& task, const Recording& recording);

}  // namespace plaudit::bench
