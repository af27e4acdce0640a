// Small tasks without a physics library: Gymnasium's Pendulum-v1, and `point`, a mass pushed to a goal.
#pragma once

#include <memory>
#include <vector>

#include "plaudit/env/environment.h"

namespace plaudit {

// Pendulum-v1, the rule of pendulum_step (control_steps.h) on one pendulum: qpos = angle, qvel = its speed.
// Start: angle U(-pi, pi), speed U(-1, 1); 200 steps.
std::unique_ptr<Environment> make_pendulum();

// State (p, v) in R^4, action in [-1,1]^2: v' = 0.8 v + 0.2 a; p' = clip(p + 0.1 v', -1, 1); reward -|p' -
// g|, g = (0.6, 0.6); 50 steps, never terminated. Start: p uniform in [-1,1]^2, v = 0.
std::unique_ptr<Environment> make_point();
// A controller that reaches it: clip(6 (g-p) - 1.5 v, -1, 1), from an observation [4] to an action [2].
void point_controller(const double* observation, double* action);

}  // namespace plaudit
