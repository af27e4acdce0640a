// The MuJoCo tasks of Gymnasium, versions 4 and 5, as data: model, observation, reward, end, start.
//
// From the same state and actions every observation, reward and flag equals Gymnasium's
// (tests/python/test_env_gymnasium.py). Both read what mj_step left: positions of bodies and sites, cinert,
// cvel, qfrc_actuator, cfrc_ext and qfrc_constraint lag qpos by one sub-step.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plaudit/core/rng.h"

struct mjModel_;
struct mjData_;

namespace plaudit {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

struct Range {
  double low = -kNoLimit, high = kNoLimit;
};

// A piece of an observation: an array of mjData, flattened.
enum class Source { qpos, qvel, cinert, cvel, qfrc_actuator, qfrc_constraint, cfrc_ext, xpos };
enum class Transform { none, sine, cosine };

struct ObservationPart {
  Source source = Source::qpos;
  int first = 0, last = -1;  // [first, last); -1: to the end
  Range clip = {};
  Transform transform = Transform::none;
  std::string_view body = {};  // xpos: of this body,
  std::string_view less = {};  // less that of this one
};

// What moves forward.
enum class MovingPart { none, coordinates, torso, centre_of_mass };

struct MujocoTask;

// A point of the ground, or a speed over it.
struct GroundPoint {
  double x = 0, y = 0;
};

// What a reward and its parts see.
struct StepView {
  const MujocoTask& task;
  const mjModel_& model;
  const mjData_& data;
  const double* action;
  GroundPoint place, velocity;  // of `progress`; forward is along x
  bool alive;                   // healthy; in version 4 also where that ends the episode
};

// A number, or some, that Gymnasium reports beside observation and reward.
struct InfoPart {
  std::string_view name;
  double (*value)(const StepView&, int i);
  bool at_start = false;    // of a reset, too; place, velocity and action are those of a step
  bool of_tendons = false;  // an array, one for each tendon
};

struct MujocoTask {
  std::string name;  // "HalfCheetah"
  int version = 5;
  std::string model;   // "half_cheetah.xml"
  int frame_skip = 1;  // sub-steps of a step
  int64_t max_steps = 1000;
  std::vector<ObservationPart> observation = {};
  std::vector<InfoPart> infos = {};

  // Whether the episode may go on; null: always.
  bool (*healthy)(const MujocoTask&, const mjModel_&, const mjData_&) = nullptr;
  bool ends_unhealthy = true;
  Range healthy_height = {}, healthy_angle = {}, healthy_state = {};
  double (*reward)(const StepView&) = nullptr;
  bool reward_before_step = false;  // the infos, too
  bool contact_forces = false;      // cfrc_ext is read, and has to be computed

  // Weights of the reward.
  MovingPart progress = MovingPart::none;
  int main_body = 1;           // the torso,
  std::string main_body_name;  // or the body of this name
  double forward = 1, alive = 0, control_cost = 0, contact_cost = 0;
  Range contact_force = {}, contact_cost_range = {};  // clipped to
  double distance = 1, nearness = 0.5;                // of Reacher and Pusher

  // The start: the model's own plus noise, uniform on [-noise, noise] or normal with that deviation.
  double position_noise = 0, velocity_noise = 0;
  bool normal_velocity = false;
  // What the task draws beyond that; null: nothing.
  void (*place)(Rng&, std::span<double> qpos, std::span<double> qvel) = nullptr;

  // What the rules read of a model of one's own, beyond the observation.
  int least_positions = 0, least_velocities = 0, least_sites = 0;
};

// Null when there is none of this id, "HalfCheetah-v5".
const MujocoTask* find_mujoco_task(std::string_view id);
std::vector<std::string> mujoco_task_ids();

}  // namespace plaudit
