#include "plaudit/env/control_steps.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Locomotion, RewardMovesWithTheVersionOnlyWhereTheRunnerFell) {
  for_draws(200, [] {
    const auto qpos = normal({6}, 0.3) + at::tensor({0.0, 1.25, 0.0, 0.0, 0.0, 0.0}), qvel = normal({6}),
               action = normal({3});
    const auto v5 = locomotion_transition(0, qpos, qvel, action, "hopper"),
               v4 = locomotion_transition(0, qpos, qvel, action, "hopper", "v4");
    EXPECT_EQ((v4.reward - v5.reward).item<double>() > 0.5, v5.terminated.item<bool>());
    EXPECT_EQ(termination(v5.observation.unsqueeze(0), "hopper").item<bool>(), v5.terminated.item<bool>());
  });
}

TEST(Termination, NonFiniteValuesEndWhereTheRuleReadsThem) {
  const auto o = at::tensor({1.2, 0.0, INFINITY}, at::kDouble).view({1, 3});
  EXPECT_TRUE(termination(o, "hopper").item<bool>());
  EXPECT_FALSE(termination(o, "walker2d").item<bool>());
  EXPECT_FALSE(termination(o * NAN, "halfcheetah").item<bool>());
  EXPECT_TRUE(termination(o * NAN, "walker2d").item<bool>());
}

TEST(Pendulum, FullTurnsChangeNothing) {
  for_draws(100, [] {
    const auto theta = normal({3}), omega = normal({3}), torque = normal({3}, 3);
    const auto a = pendulum_step(theta, omega, torque), b = pendulum_step(theta + 2 * M_PI, omega, torque);
    expect_close(a.rewards, b.rewards);
    expect_close(a.observations, b.observations);
    expect_close(pendulum_step(-theta, -omega, -torque).omega, -a.omega);
  });
}

TEST(ControlSteps, ErrorsNameTheArgument) {
  const auto x = at::zeros({6}), a = at::zeros({3});
  expect_error(ErrorKind::value, "env", [&] { locomotion_transition(0, x, x, a, "ant"); });
  expect_error(ErrorKind::shape, "qpos", [&] { locomotion_transition(0, x, x, a, "walker2d"); });
  expect_error(ErrorKind::nan, "qvel", [&] { locomotion_transition(0, x, x / 0, a, "hopper"); });
  expect_error(ErrorKind::value, "version", [&] { locomotion_transition(0, x, x, a, "hopper", "v3"); });
}

TEST(EdgeOfReach, MarksStatesThatAreNeverLeft) {
  const auto edge = edge_of_reach_mask(at::tensor({0, 1}), at::tensor({1, 2}));
  EXPECT_FALSE(edge[0].item<bool>());
  EXPECT_TRUE(edge[1].item<bool>());
}

}  // namespace
}  // namespace plaudit
