// Reward, observation and termination rules of control tasks as pure functions.
//
// UserErrors: empty, shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct LocomotionTransition {
  Tensor reward;       // scalar
  Tensor terminated;   // scalar bool
  Tensor observation;  // [qpos + qvel - 1]
};

// One control step of halfcheetah, hopper or walker2d after the physics ran, as Gymnasium v4 and v5 score it:
// x_before is the x position before the step, `qpos`, `qvel` the state after it, `action` as given to the
// environment. Velocity plus a bonus for health (in v4 also on the step that ends) less a control cost; the
// observation is qpos[1:] and qvel, clipped to +-10 for hopper and walker2d.
LocomotionTransition locomotion_transition(double x_before, const Tensor& qpos, const Tensor& qvel,
                                           const Tensor& action, const std::string& env,
                                           const std::string& version = "v5");

// The known rule of the same tasks on predicted observations [B,D], [B] bool. Values that are not finite are
// terminal where the rule reads them: anywhere for hopper, height or angle for walker2d, never for
// halfcheetah.
Tensor termination(const Tensor& next_observations, const std::string& env);

struct PendulumStep {
  Tensor theta;         // [B]
  Tensor omega;         // [B]
  Tensor rewards;       // [B], of the state before the step and the clipped torque
  Tensor observations;  // [B,3], cos, sin, omega
};

// A step of Gymnasium's Pendulum-v1: torque clipped to +-2, omega += 0.05 (15 sin theta + 3 torque) clipped
// to +-8, theta += 0.05 omega; reward -(wrap(theta)^2 + 0.1 omega^2 + 0.001 torque^2).
PendulumStep pendulum_step(const Tensor& theta, const Tensor& omega, const Tensor& torque);

// True where a next state never occurs as a state: its value is bootstrapped from and never trained. Ids of
// any integer type and shape. Sims et al., "The Edge-of-Reach Problem", 2024, arXiv 2402.12527.
Tensor edge_of_reach_mask(const Tensor& state_ids, const Tensor& next_ids);

}  // namespace plaudit
