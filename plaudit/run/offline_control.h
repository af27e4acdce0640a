// What the stages that learn control from logged data share: the data made ready, the run, its report.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "plaudit/run/context.h"
#include "plaudit/run/task_policy.h"
#include "plaudit/train/control_loop.h"
#include "plaudit/train/logged_control.h"

namespace plaudit {

struct OfflineControlOptions {
  std::string data = "transitions", into = "control_policy";
  bool normalize = true;
  int64_t steps = 300'000, batch = 256;
  int64_t report_every = 500, save_every = 20'000;
  int64_t evaluate_every = 0, evaluate_episodes = 10;
};
template <>
void describe(OptionTable<OfflineControlOptions>& table);

// Logged data as learners want them. UserErrors: value for data that do not name their task; those of
// check_widths and unit_actions.
struct OfflineData {
  std::string environment;
  int64_t observations = 0, actions = 0;
  TransitionTensors transitions;  // actions in [-1,1]
  at::Tensor mean, std;           // [S], undefined where observations are as they were
};
OfflineData offline_data(const OfflineControlOptions& options, RunContext& context);

// Trains a learner with `hidden` layers that `make` makes for the widths; its policy becomes the artefact
// `into`. `title` heads the report.
using MakeControlLearner =
    std::function<std::unique_ptr<ControlLearner>(int64_t observations, int64_t actions)>;
void run_offline_control(const std::string& title, const OfflineControlOptions& options,
                         const std::vector<int64_t>& hidden, const MakeControlLearner& make,
                         RunContext& context);

}  // namespace plaudit
