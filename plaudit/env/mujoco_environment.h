// A MuJoCo task (mujoco_tasks.h) as an Environment.
#pragma once

#include <memory>
#include <optional>

#include "plaudit/env/environment.h"
#include "plaudit/env/mujoco_model.h"
#include "plaudit/env/mujoco_tasks.h"

namespace plaudit {

// The model of a task: the file of the installed gymnasium package; where that is absent, our own model for
// HalfCheetah, Hopper and Walker2d (mujoco_models.h), and UserError (io) for the others. Loaded once.
MujocoModel mujoco_task_model(const MujocoTask& task, Contacts contacts = Contacts::listed);
// The same for a task with options whose own task is `own`: another model file needs at least as many
// positions, velocities, bodies, sites and tendons, because the task's rules name them by number; UserError
// (value).
MujocoModel mujoco_task_model(const MujocoTask& task, const MujocoTask& own);

// The task on another model of the same layout, e.g. one whose friction was changed.
std::unique_ptr<Environment> make_mujoco_environment(const MujocoTask& task, MujocoModel model);

// What such an environment simulates: its own data, as its last reset, step or set_state left them.
struct MujocoView {
  MujocoModel model;
  const mjData_* data;
};
// Absent for an environment of another kind.
std::optional<MujocoView> mujoco_view(const Environment& environment);

}  // namespace plaudit
