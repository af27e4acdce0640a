#include "plaudit/env/mountain_car.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(MountainCar, StaysInsideItsBoxAndStopsAtTheWall) {
  for_draws(200, [] {
    const auto r = mountain_car_step(uniform({8}, -1.2, 0.6), uniform({8}, -0.07, 0.07), normal({8}, 3));
    EXPECT_TRUE(r.position.ge(-1.2).logical_and(r.position.le(0.6)).all().item<bool>());
    EXPECT_TRUE(r.velocity.abs().le(0.07).all().item<bool>());
    EXPECT_TRUE(at::where(r.position.eq(-1.2), r.velocity, 0.0).ge(0).all().item<bool>());
    EXPECT_TRUE(r.terminated.equal(r.position.ge(0.45).logical_and(r.velocity.ge(0))));
  });
}

TEST(MountainCar, ErrorsNameTheArgument) {
  const auto x = at::zeros({2}, at::kDouble);
  expect_error(ErrorKind::shape, "action", [&] { mountain_car_step(x, x, at::zeros({3})); });
  expect_error(ErrorKind::nan, "velocity", [&] { mountain_car_step(x, x + NAN, x); });
}

}  // namespace
}  // namespace plaudit
