#include "plaudit/env/mujoco_infos.h"

#include <mujoco/mujoco.h>

#include <cmath>

#include "plaudit/env/mujoco_rules.h"

namespace plaudit {
namespace {

template <double (*term)(const StepView&)>
double plus(const StepView& step, int) {
  return term(step);
}
template <double (*term)(const StepView&)>
double minus(const StepView& step, int) {
  return -term(step);
}
template <int i>
double coordinate(const StepView& step, int) {
  return step.data.qpos[i];
}
template <int i>
double moved(const StepView& step, int) {
  return step.data.qpos[i] - step.model.qpos0[i];
}
double velocity_x(const StepView& step, int) {
  return step.velocity.x;
}
double velocity_y(const StepView& step, int) {
  return step.velocity.y;
}
double from_origin(const StepView& step, int) {
  return std::hypot(step.data.qpos[0], step.data.qpos[1]);
}
double tendon_length(const StepView& step, int i) {
  return step.data.ten_length[i];
}
double tendon_velocity(const StepView& step, int i) {
  return step.data.ten_velocity[i];
}
// Version 4 reports where what moves is.
double place_x(const StepView& step, int) {
  return step.place.x;
}
double place_y(const StepView& step, int) {
  return step.place.y;
}
double place_distance(const StepView& step, int) {
  return std::hypot(step.place.x, step.place.y);
}

constexpr InfoPart kX = {"x_position", coordinate<0>, true}, kY = {"y_position", coordinate<1>, true},
                   kDistance = {"distance_from_origin", from_origin, true},
                   kVelocityX = {"x_velocity", velocity_x}, kVelocityY = {"y_velocity", velocity_y},
                   kTendons = {"tendon_length", tendon_length, true, true},
                   kTendonSpeeds = {"tendon_velocity", tendon_velocity, true, true},
                   kForward = {"reward_forward", plus<forward_reward>},
                   kControl = {"reward_ctrl", minus<control_cost>},
                   kContact = {"reward_contact", minus<contact_cost>},
                   kSurvival = {"reward_survive", plus<survival>};

std::vector<InfoPart> infos5(std::string_view name) {
  if (name == "HalfCheetah") return {kX, kVelocityX, kForward, kControl};
  if (name == "Hopper" || name == "Walker2d")
    return {kX, {"z_distance_from_origin", moved<1>, true}, kVelocityX, kForward, kControl, kSurvival};
  if (name == "Ant")
    return {kX, kY, kDistance, kVelocityX, kVelocityY, kForward, kControl, kContact, kSurvival};
  if (name == "Swimmer") return {kX, kY, kDistance, kVelocityX, kVelocityY, kForward, kControl};
  if (name == "Humanoid")
    return {kX,         kY,        kTendons, kTendonSpeeds, kDistance, kVelocityX,
            kVelocityY, kSurvival, kForward, kControl,      kContact};
  if (name == "HumanoidStandup")
    return {kX,
            kY,
            {"z_distance_from_origin", moved<2>, true},
            kTendons,
            kTendonSpeeds,
            {"reward_linup", plus<standup_height>},
            {"reward_quadctrl", minus<control_cost>},
            {"reward_impact", minus<contact_cost>}};
  if (name == "Reacher") return {{"reward_dist", minus<reacher_distance>}, kControl};
  if (name == "Pusher")
    return {{"reward_dist", minus<pusher_distance>}, kControl, {"reward_near", minus<pusher_nearness>}};
  if (name == "InvertedDoublePendulum")
    return {kSurvival,
            {"distance_penalty", minus<double_pendulum_place>},
            {"velocity_penalty", minus<double_pendulum_speed>}};
  return {kSurvival};
}

std::vector<InfoPart> infos4(std::string_view name) {
  const InfoPart x = {"x_position", place_x}, y = {"y_position", place_y},
                 away = {"distance_from_origin", place_distance},
                 again = {"forward_reward", plus<forward_reward>};
  if (name == "HalfCheetah") return {x, kVelocityX, {"reward_run", plus<forward_reward>}, kControl};
  if (name == "Hopper" || name == "Walker2d") return {x, kVelocityX};
  if (name == "Ant") return {kForward, kControl, kSurvival, x, y, away, kVelocityX, kVelocityY, again};
  if (name == "Swimmer")
    return {{"reward_fwd", plus<forward_reward>}, kControl, x, y, away, kVelocityX, kVelocityY, again};
  if (name == "Humanoid")
    return {{"reward_linvel", plus<forward_reward>},
            {"reward_quadctrl", minus<control_cost>},
            {"reward_alive", plus<survival>},
            x,
            y,
            away,
            kVelocityX,
            kVelocityY,
            again};
  if (name == "HumanoidStandup")
    return {{"reward_linup", plus<standup_height>},
            {"reward_quadctrl", minus<control_cost>},
            {"reward_impact", minus<contact_cost>}};
  if (name == "Reacher") return {{"reward_dist", minus<reacher_distance>}, kControl};
  return {};
}

}  // namespace

std::vector<InfoPart> infos_of(const MujocoTask& task) {
  return task.version == 5 ? infos5(task.name) : infos4(task.name);
}

}  // namespace plaudit
