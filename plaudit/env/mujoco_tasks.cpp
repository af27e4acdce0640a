#include "plaudit/env/mujoco_tasks.h"

#include <fmt/format.h>

#include "plaudit/env/mujoco_infos.h"
#include "plaudit/env/mujoco_rules.h"

namespace plaudit {
namespace {

using enum Source;

MujocoTask half_cheetah() {
  return {.name = "HalfCheetah",
          .model = "half_cheetah.xml",
          .frame_skip = 5,
          .observation = {{qpos, 1}, {qvel}},
          .reward = locomotion_reward,
          .progress = MovingPart::coordinates,
          .control_cost = 0.1,
          .position_noise = 0.1,
          .velocity_noise = 0.1,
          .normal_velocity = true,
          .least_positions = 2};
}

MujocoTask hopper() {
  return {.name = "Hopper",
          .model = "hopper.xml",
          .frame_skip = 4,
          .observation = {{qpos, 1}, {.source = qvel, .clip = {-10, 10}}},
          .healthy = hopper_healthy,
          .healthy_height = {0.7, kNoLimit},
          .healthy_angle = {-0.2, 0.2},
          .healthy_state = {-100, 100},
          .reward = locomotion_reward,
          .progress = MovingPart::coordinates,
          .alive = 1,
          .control_cost = 1e-3,
          .position_noise = 0.005,
          .velocity_noise = 0.005,
          .least_positions = 3};
}

MujocoTask walker() {
  auto task = hopper();
  task.name = "Walker2d";
  task.model = "walker2d_v5.xml";
  task.healthy = walker_healthy;
  task.healthy_height = {0.8, 2};
  task.healthy_angle = {-1, 1};
  return task;
}

MujocoTask ant() {
  return {.name = "Ant",
          .model = "ant.xml",
          .frame_skip = 5,
          .observation = {{qpos, 2}, {qvel}, {.source = cfrc_ext, .first = 6, .clip = {-1, 1}}},
          .healthy = ant_healthy,
          .healthy_height = {0.2, 1},
          .reward = locomotion_reward,
          .contact_forces = true,
          .progress = MovingPart::torso,
          .alive = 1,
          .control_cost = 0.5,
          .contact_cost = 5e-4,
          .contact_force = {-1, 1},
          .position_noise = 0.1,
          .velocity_noise = 0.1,
          .normal_velocity = true,
          .least_positions = 3};
}

MujocoTask swimmer() {
  return {.name = "Swimmer",
          .model = "swimmer.xml",
          .frame_skip = 4,
          .observation = {{qpos, 2}, {qvel}},
          .reward = locomotion_reward,
          .progress = MovingPart::coordinates,
          .control_cost = 1e-4,
          .position_noise = 0.1,
          .velocity_noise = 0.1,
          .least_positions = 2};
}

MujocoTask reacher() {
  return {.name = "Reacher",
          .model = "reacher.xml",
          .frame_skip = 2,
          .max_steps = 50,
          .observation = {{.source = qpos, .last = 2, .transform = Transform::cosine},
                          {.source = qpos, .last = 2, .transform = Transform::sine},
                          {qpos, 2},
                          {qvel, 0, 2},
                          {.source = xpos, .last = 2, .body = "fingertip", .less = "target"}},
          .reward = reacher_reward,
          .control_cost = 1,
          .position_noise = 0.1,
          .velocity_noise = 0.005,
          .place = place_target};
}

MujocoTask pusher() {
  return {.name = "Pusher",
          .model = "pusher_v5.xml",
          .frame_skip = 5,
          .max_steps = 100,
          .observation = {{qpos, 0, 7},
                          {qvel, 0, 7},
                          {.source = xpos, .body = "tips_arm"},
                          {.source = xpos, .body = "object"},
                          {.source = xpos, .body = "goal"}},
          .reward = pusher_reward,
          .control_cost = 0.1,
          .velocity_noise = 0.005,
          .place = place_object};
}

MujocoTask inverted_pendulum() {
  return {.name = "InvertedPendulum",
          .model = "inverted_pendulum.xml",
          .frame_skip = 2,
          .observation = {{qpos}, {qvel}},
          .healthy = pendulum_healthy,
          .reward = locomotion_reward,
          .alive = 1,
          .position_noise = 0.01,
          .velocity_noise = 0.01,
          .least_positions = 2};
}

MujocoTask inverted_double_pendulum() {
  return {.name = "InvertedDoublePendulum",
          .model = "inverted_double_pendulum.xml",
          .frame_skip = 5,
          .observation = {{qpos, 0, 1},
                          {.source = qpos, .first = 1, .transform = Transform::sine},
                          {.source = qpos, .first = 1, .transform = Transform::cosine},
                          {.source = qvel, .clip = {-10, 10}},
                          {.source = qfrc_constraint, .last = 1, .clip = {-10, 10}}},
          .healthy = double_pendulum_healthy,
          .reward = double_pendulum_reward,
          .alive = 10,
          .position_noise = 0.1,
          .velocity_noise = 0.1,
          .normal_velocity = true,
          .least_velocities = 3,
          .least_sites = 1};
}

MujocoTask humanoid() {
  return {.name = "Humanoid",
          .model = "humanoid.xml",
          .frame_skip = 5,
          .observation = {{qpos, 2}, {qvel}, {cinert, 10}, {cvel, 6}, {qfrc_actuator, 6}, {cfrc_ext, 6}},
          .healthy = humanoid_healthy,
          .healthy_height = {1, 2},
          .reward = locomotion_reward,
          .contact_forces = true,
          .progress = MovingPart::centre_of_mass,
          .forward = 1.25,
          .alive = 5,
          .control_cost = 0.1,
          .contact_cost = 5e-7,
          .contact_cost_range = {-kNoLimit, 10},
          .position_noise = 0.01,
          .velocity_noise = 0.01,
          .least_positions = 3};
}

MujocoTask humanoid_standup() {
  auto task = humanoid();
  task.name = "HumanoidStandup";
  task.model = "humanoidstandup.xml";
  task.healthy = nullptr;
  task.reward = standup_reward;
  task.progress = MovingPart::none;
  return task;
}

// Version 4 as it differs from version 5. Its Pusher does not exist: it refuses MuJoCo 3 and later.
MujocoTask version4(MujocoTask task) {
  task.version = 4;
  if (task.name != "HumanoidStandup") task.contact_cost = 0;
  if (task.name == "Walker2d") task.model = "walker2d.xml";
  if (task.name == "Ant") {
    task.observation = {{qpos, 2}, {qvel}};
    task.contact_forces = false;
  }
  if (task.name == "Reacher") {
    task.observation.back().last = -1;
    task.reward_before_step = true;
  }
  if (task.name == "InvertedDoublePendulum") task.observation.back().last = -1;
  if (task.name == "Humanoid" || task.name == "HumanoidStandup")
    task.observation = {{qpos, 2}, {qvel}, {cinert}, {cvel}, {qfrc_actuator}, {cfrc_ext}};
  return task;
}

const std::vector<MujocoTask>& tasks() {
  static const auto all = [] {
    std::vector<MujocoTask> list = {half_cheetah(),
                                    hopper(),
                                    walker(),
                                    ant(),
                                    swimmer(),
                                    reacher(),
                                    pusher(),
                                    inverted_pendulum(),
                                    inverted_double_pendulum(),
                                    humanoid(),
                                    humanoid_standup()};
    for (size_t i = 0, n = list.size(); i < n; ++i)
      if (list[i].name != "Pusher") list.push_back(version4(list[i]));
    for (auto& task : list) task.infos = infos_of(task);
    return list;
  }();
  return all;
}

std::string id_of(const MujocoTask& task) {
  return fmt::format("{}-v{}", task.name, task.version);
}

}  // namespace

const MujocoTask* find_mujoco_task(std::string_view id) {
  for (const auto& task : tasks())
    if (id_of(task) == id) return &task;
  return nullptr;
}

std::vector<std::string> mujoco_task_ids() {
  std::vector<std::string> ids;
  for (const auto& task : tasks()) ids.push_back(id_of(task));
  return ids;
}

}  // namespace plaudit
