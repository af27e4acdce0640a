// Options of the MuJoCo tasks, as Gymnasium's constructors name them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "plaudit/env/mujoco_tasks.h"

namespace plaudit {

// The names of the options that a task has: "ctrl_cost_weight", "terminate_when_unhealthy", ...
std::vector<std::string> task_options(const MujocoTask& task);

// The task with some options set, {"ctrl_cost_weight": 0.5}; bounds of a range that are infinite are "inf"
// and
// "-inf". UserErrors: a name that the task does not have (value, with the nearest), a value of another type
// (type) or out of range (value).
MujocoTask with_options(MujocoTask task, const nlohmann::ordered_json& options);

}  // namespace plaudit
