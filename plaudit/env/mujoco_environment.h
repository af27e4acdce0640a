// A MuJoCo task (mujoco_tasks.h) as an Environment.
#pragma once

#include <memory>
#include <optional>

#include "plaudit/env/environment.h"
#include "plaudit/env/mujoco_model.h"
#include "plaudit/env/mujoco_tasks.h"

namespace plaudit {

// The model of a task: the file of the installed gymnasium package; where that is absent, our own model for
// HalfCheetah, Hopper and Walker2d (mujoco_models.h), and UserError (io) for the others. Loaded once,
// except for a file of one's own, which may change.
MujocoModel mujoco_task_model(const MujocoTask& task, Contacts contacts = Contacts::listed);
// The task on any model, e.g. one whose friction was changed. UserError (value): it lacks what the task
// reads.
std::unique_ptr<Environment> make_mujoco_environment(const MujocoTask& task, MujocoModel model);

// What such an environment simulates: its own data, as its last reset, step or set_state left them.
struct MujocoView {
  MujocoModel model;
  const mjData_* data;
};
// Absent for an environment of another kind.
std::optional<MujocoView> mujoco_view(const Environment& environment);

}  // namespace plaudit
