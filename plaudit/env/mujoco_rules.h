// Rewards, ends and starts of the MuJoCo tasks (mujoco_tasks.h), as Gymnasium defines them.
#pragma once

#include "plaudit/env/mujoco_tasks.h"

namespace plaudit {

// control_cost sum a^2. The action counts as given, not as the actuator clips it.
double control_cost(const StepView& step);
// contact_cost sum f^2, forces and cost clipped to their ranges
double contact_cost(const StepView& step);
double survival(const StepView& step);

double forward_reward(const StepView& step);  // forward * velocity

// forward reward + survival - control cost - contact cost
double locomotion_reward(const StepView& step);

// -distance |fingertip - target| - control cost
double reacher_reward(const StepView& step);
double reacher_distance(const StepView& step);

// -distance |object - goal| - control cost - nearness |object - tips_arm|
double pusher_reward(const StepView& step);
double pusher_distance(const StepView& step);
double pusher_nearness(const StepView& step);

// survival - (0.01 x^2 + (y-2)^2) - (1e-3 qvel1^2 + 5e-3 qvel2^2), (x, y) the tip
double double_pendulum_reward(const StepView& step);
double double_pendulum_place(const StepView& step);
double double_pendulum_speed(const StepView& step);

// height / time of a sub-step - control cost - contact cost + 1
double standup_reward(const StepView& step);
double standup_height(const StepView& step);  // over the time of a sub-step

bool hopper_healthy(const MujocoTask& task, const mjModel_& model, const mjData_& data);
bool walker_healthy(const MujocoTask& task, const mjModel_& model, const mjData_& data);
bool ant_healthy(const MujocoTask& task, const mjModel_& model, const mjData_& data);
bool humanoid_healthy(const MujocoTask& task, const mjModel_& model, const mjData_& data);
bool pendulum_healthy(const MujocoTask& task, const mjModel_& model, const mjData_& data);
bool double_pendulum_healthy(const MujocoTask& task, const mjModel_& model, const mjData_& data);

// Reacher's target, the last two positions: uniform in the disc of radius 0.2 and at rest.
void place_target(Rng& rng, std::span<double> qpos, std::span<double> qvel);
// Pusher's object, uniform in [-0.3,0] x [-0.2,0.2] further than 0.17 from the goal at 0, both at rest.
// The last four positions.
void place_object(Rng& rng, std::span<double> qpos, std::span<double> qvel);

// Where what moves forward is.
GroundPoint progress_of(const MujocoTask& task, const mjModel_& model, const mjData_& data);

}  // namespace plaudit
