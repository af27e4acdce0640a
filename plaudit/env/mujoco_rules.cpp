#include "plaudit/env/mujoco_rules.h"

#include <mujoco/mujoco.h>

#include <algorithm>
#include <cmath>

namespace plaudit {
namespace {

double squares(const double* x, int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += x[i] * x[i];
  return sum;
}

const double* position(const StepView& step, const char* body) {
  return step.data.xpos + 3 * mj_name2id(&step.model, mjOBJ_BODY, body);
}

double distance(const double* a, const double* b) {
  return std::sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) +
                   (a[2] - b[2]) * (a[2] - b[2]));
}

bool within(const Range& range, double x) {
  return range.low < x && x < range.high;
}

bool all_within(const Range& range, const double* x, int n) {
  return std::all_of(x, x + n, [&](double value) { return within(range, value); });
}

bool all_finite(const double* x, int n) {
  return std::all_of(x, x + n, [](double value) { return std::isfinite(value); });
}

double uniform(Rng& rng, double low, double high) {
  return low + (high - low) * rng.uniform();
}

}  // namespace

double control_cost(const StepView& step) {
  return step.task.control_cost * squares(step.action, static_cast<int>(step.model.nu));
}

double contact_cost(const StepView& step) {
  const auto& task = step.task;
  double sum = 0;
  for (int i = 0; task.contact_cost != 0 && i < 6 * step.model.nbody; ++i) {
    const double force = std::clamp(step.data.cfrc_ext[i], task.contact_force.low, task.contact_force.high);
    sum += force * force;
  }
  return std::clamp(task.contact_cost * sum, task.contact_cost_range.low, task.contact_cost_range.high);
}

double survival(const StepView& step) {
  return step.alive ? step.task.alive : 0;
}

double forward_reward(const StepView& step) {
  return step.task.forward * step.velocity.x;
}

double locomotion_reward(const StepView& step) {
  return forward_reward(step) + survival(step) - (control_cost(step) + contact_cost(step));
}

double reacher_distance(const StepView& step) {
  return step.task.distance * distance(position(step, "fingertip"), position(step, "target"));
}

double reacher_reward(const StepView& step) {
  return -reacher_distance(step) - control_cost(step);
}

double pusher_distance(const StepView& step) {
  return step.task.distance * distance(position(step, "object"), position(step, "goal"));
}

double pusher_nearness(const StepView& step) {
  return step.task.nearness * distance(position(step, "object"), position(step, "tips_arm"));
}

double pusher_reward(const StepView& step) {
  return -pusher_distance(step) - control_cost(step) - pusher_nearness(step);
}

double double_pendulum_place(const StepView& step) {
  const double x = step.data.site_xpos[0], y = step.data.site_xpos[2];
  return 0.01 * x * x + (y - 2) * (y - 2);
}

double double_pendulum_speed(const StepView& step) {
  const double v1 = step.data.qvel[1], v2 = step.data.qvel[2];
  return 1e-3 * v1 * v1 + 5e-3 * v2 * v2;
}

double double_pendulum_reward(const StepView& step) {
  return survival(step) - double_pendulum_place(step) - double_pendulum_speed(step);
}

double standup_height(const StepView& step) {
  return step.data.qpos[2] / step.model.opt.timestep;
}

double standup_reward(const StepView& step) {
  return standup_height(step) - control_cost(step) - contact_cost(step) + 1;
}

bool hopper_healthy(const MujocoTask& task, const mjModel_& model, const mjData_& data) {
  return all_within(task.healthy_state, data.qpos + 2, static_cast<int>(model.nq) - 2) &&
         all_within(task.healthy_state, data.qvel, static_cast<int>(model.nv)) &&
         walker_healthy(task, model, data);
}

bool walker_healthy(const MujocoTask& task, const mjModel_&, const mjData_& data) {
  return within(task.healthy_height, data.qpos[1]) && within(task.healthy_angle, data.qpos[2]);
}

bool ant_healthy(const MujocoTask& task, const mjModel_& model, const mjData_& data) {
  return all_finite(data.qpos, static_cast<int>(model.nq)) &&
         all_finite(data.qvel, static_cast<int>(model.nv)) && task.healthy_height.low <= data.qpos[2] &&
         data.qpos[2] <= task.healthy_height.high;
}

bool humanoid_healthy(const MujocoTask& task, const mjModel_&, const mjData_& data) {
  return within(task.healthy_height, data.qpos[2]);
}

bool pendulum_healthy(const MujocoTask&, const mjModel_& model, const mjData_& data) {
  return all_finite(data.qpos, static_cast<int>(model.nq)) &&
         all_finite(data.qvel, static_cast<int>(model.nv)) && std::abs(data.qpos[1]) <= 0.2;
}

bool double_pendulum_healthy(const MujocoTask&, const mjModel_&, const mjData_& data) {
  return !(data.site_xpos[2] <= 1);
}

void place_target(Rng& rng, std::span<double> qpos, std::span<double> qvel) {
  const auto target = qpos.last(2);
  do {
    target[0] = uniform(rng, -0.2, 0.2);
    target[1] = uniform(rng, -0.2, 0.2);
  } while (std::hypot(target[0], target[1]) >= 0.2);
  std::ranges::fill(qvel.last(2), 0.0);
}

void place_object(Rng& rng, std::span<double> qpos, std::span<double> qvel) {
  const auto object = qpos.last(4).first(2), goal = qpos.last(2);
  do {
    object[0] = uniform(rng, -0.3, 0);
    object[1] = uniform(rng, -0.2, 0.2);
  } while (std::hypot(object[0], object[1]) <= 0.17);
  std::ranges::fill(goal, 0.0);
  std::ranges::fill(qvel.last(4), 0.0);
}

GroundPoint progress_of(const MujocoTask& task, const mjModel_& model, const mjData_& data) {
  switch (task.progress) {
    case MovingPart::none:
      return {};
    case MovingPart::coordinates:
      return {data.qpos[0], data.qpos[1]};
    case MovingPart::torso:
      return {data.xpos[3 * task.main_body], data.xpos[3 * task.main_body + 1]};
    case MovingPart::centre_of_mass:
      break;
  }
  GroundPoint moment;
  double mass = 0;
  for (int body = 0; body < model.nbody; ++body) {
    moment.x += model.body_mass[body] * data.xipos[3 * body];
    moment.y += model.body_mass[body] * data.xipos[3 * body + 1];
    mass += model.body_mass[body];
  }
  return {moment.x / mass, moment.y / mass};
}

}  // namespace plaudit
