// One step of Gymnasium's MountainCarContinuous-v0, for many cars at once.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct MountainCarStep {
  Tensor position;    // [B], in [-1.2, 0.6]
  Tensor velocity;    // [B], in [-0.07, 0.07]; 0 at the left wall
  Tensor rewards;     // [B], 100 at the goal, minus 0.1 action^2 of the action as given
  Tensor terminated;  // [B] bool, position >= 0.45 with velocity >= 0
};

// `position`, `velocity`, `action` [B]; the force is the action clipped to [-1, 1]. An episode starts at
// U(-0.6, -0.4) at rest and is cut after 999 steps. UserErrors: empty, shape, nan.
MountainCarStep mountain_car_step(const Tensor& position, const Tensor& velocity, const Tensor& action);

}  // namespace plaudit
