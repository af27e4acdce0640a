// What the MuJoCo tasks report beside observation and reward, under the names that Gymnasium gives it.
#pragma once

#include "plaudit/env/mujoco_tasks.h"

namespace plaudit {

// Of version 5 or 4, as task.version says.
std::vector<InfoPart> infos_of(const MujocoTask& task);

}  // namespace plaudit
