#include "plaudit/env/mountain_car.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

MountainCarStep mountain_car_step(const Tensor& position, const Tensor& velocity, const Tensor& action) {
  const Check check("eval.mountain_car_step");
  check.alike({{"position", position}, {"velocity", velocity}, {"action", action}}, 1);
  const auto x = as_real(position), a = as_real(action);
  const auto speed =
      (as_real(velocity) + 0.0015 * a.clamp(-1, 1) - 0.0025 * at::cos(3 * x)).clamp(-0.07, 0.07);
  const auto place = (x + speed).clamp(-1.2, 0.6);
  const auto at_wall = place.le(-1.2).logical_and(speed.lt(0));
  const auto next_speed = at::where(at_wall, 0.0, speed);
  const auto done = place.ge(0.45).logical_and(next_speed.ge(0));
  return {place, next_speed, at::where(done, 100.0, 0.0).to(a.scalar_type()) - 0.1 * a.square(), done};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def(
      "mountain_car_step(Tensor position, Tensor velocity, Tensor action) -> (Tensor position, Tensor "
      "velocity, Tensor rewards, Tensor terminated)",
      [](const Tensor& position, const Tensor& velocity, const Tensor& action) {
        return as_tuple(mountain_car_step(position, velocity, action));
      },
      "One step of the continuous mountain car.", {"06"});
}

}  // namespace plaudit
