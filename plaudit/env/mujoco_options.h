// Options of the MuJoCo tasks, as Gymnasium's constructors name them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "plaudit/env/mujoco_tasks.h"

namespace plaudit {

// The task with some options set, {"ctrl_cost_weight": 0.5}; infinite bounds of a range are "inf" and "-inf".
// UserErrors: a name that the task does not have (value, with the nearest), a value of another type (type) or
// out of range (value).
MujocoTask with_options(MujocoTask task, const nlohmann::ordered_json& options);

}  // namespace plaudit
