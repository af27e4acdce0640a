#include "plaudit/env/mujoco_render.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <set>

#include "plaudit/env/egl_context.h"
#include "plaudit/env/mujoco_environment.h"
#include "plaudit/env/mujoco_models.h"
#include "plaudit/env/vector_env.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// "" where pictures can be drawn here.
std::string why_no_pictures() {
  try {
    const EglContext context;
    return "";
  } catch (const UserError& error) {
    return error.what();
  }
}

class Rendering : public ::testing::Test {
 protected:
  void SetUp() override {
    static const std::string why = why_no_pictures();
    if (!why.empty()) GTEST_SKIP() << why;
  }
};

std::unique_ptr<Environment> started(const std::string& id) {
  auto environment = make_environment(id);
  Rng rng(3, "start");
  environment->reset(rng);
  return environment;
}

int64_t colours(const std::vector<uint8_t>& rgb) {
  std::set<std::array<uint8_t, 3>> found;
  for (size_t i = 0; i < rgb.size(); i += 3) found.insert({rgb[i], rgb[i + 1], rgb[i + 2]});
  return static_cast<int64_t>(found.size());
}

// The share of bytes that differ by more than a little.
double changed(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  int64_t n = 0;
  for (size_t i = 0; i < a.size(); ++i) n += std::abs(a[i] - b[i]) > 8;
  return static_cast<double>(n) / static_cast<double>(a.size());
}

std::vector<uint8_t> moved_picture(MujocoRenderer& renderer, Environment& environment, int64_t joint,
                                   double by) {
  const auto& spec = environment.spec();
  std::vector<double> qpos(spec.positions), qvel(spec.velocities);
  environment.get_state(qpos.data(), qvel.data());
  qpos[joint] += by;
  environment.set_state(qpos.data(), qvel.data());
  return renderer.draw(environment);
}

TEST_F(Rendering, EveryMujocoTaskHasAPicture) {
  for (const auto& id : environment_ids()) {
    if (id.find("-v5") == std::string::npos) continue;  // those of version 4 look alike
    const auto environment = started(id);
    MujocoRenderer renderer(*environment, {.width = 64, .height = 48});
    const auto rgb = renderer.draw(*environment);
    EXPECT_EQ(rgb.size(), 3u * 64 * 48);
    EXPECT_GT(colours(rgb), 20) << id;
  }
}

TEST_F(Rendering, TheSkyIsAboveTheFloor) {
  const auto environment = started("HalfCheetah-v5");
  MujocoRenderer renderer(*environment, {.width = 80, .height = 60});
  const auto rgb = renderer.draw(*environment);
  const auto row = [&](ptrdiff_t y) {
    return std::vector<uint8_t>(rgb.begin() + 240 * y, rgb.begin() + 240 * (y + 1));
  };
  // The sky is one smooth gradient, the floor a chequerboard.
  EXPECT_LT(colours(row(0)), colours(row(59)));
  EXPECT_GT(changed(row(0), row(59)), 0.5);
}

TEST_F(Rendering, APictureIsAFunctionOfTheState) {
  const auto environment = started("Hopper-v5");
  MujocoRenderer renderer(*environment), other(*environment);
  const auto first = renderer.draw(*environment);
  EXPECT_EQ(first, renderer.draw(*environment));
  EXPECT_EQ(first, other.draw(*environment));
  EXPECT_GT(changed(first, moved_picture(renderer, *environment, 2, 0.8)), 0.005);
  EXPECT_EQ(first, moved_picture(renderer, *environment, 2, -0.8));
}

TEST_F(Rendering, TheCameraFollows) {
  const auto environment = started("Walker2d-v5");
  MujocoRenderer renderer(*environment, {.width = 160, .height = 120});
  const auto first = renderer.draw(*environment);
  // Its floor repeats itself: 40 m on, the walker is where it was in the picture.
  EXPECT_LT(changed(first, moved_picture(renderer, *environment, 0, 40)), 0.3);
  EXPECT_GT(colours(renderer.draw(*environment)), 20);
}

TEST_F(Rendering, AModelWithoutACameraIsFollowedByItsTorso) {
  auto xml = own_mujoco_model("hopper.xml");
  const auto camera = xml.find("<camera");
  xml.erase(camera, xml.find("/>", camera) + 2 - camera);
  const auto environment = make_mujoco_environment(
      *find_mujoco_task("Hopper-v5"), parse_mujoco_model(xml, "hopper without camera", Contacts::searched));
  MujocoRenderer renderer(*environment, {.width = 160, .height = 120});
  EXPECT_GT(colours(renderer.draw(*environment)), 20);
  EXPECT_LT(changed(renderer.draw(*environment), moved_picture(renderer, *environment, 0, 5)), 0.001);
  expect_error(ErrorKind::value, "Hopper-v5 has none, got 'track'",
               [&] { MujocoRenderer named(*environment, {.camera = "track"}); });
}

TEST_F(Rendering, DrawingDoesNotTouchTheSimulation) {
  VectorEnv watched("Ant-v5", 1), alone("Ant-v5", 1);
  MujocoRenderer renderer(watched.environment(0), {.width = 32, .height = 24});
  const auto width = static_cast<size_t>(watched.spec().observation.size());
  std::vector<double> seen(width), unseen(width),
      action(static_cast<size_t>(watched.spec().action.size()), 0.3);
  watched.reset(1, seen.data());
  alone.reset(1, unseen.data());
  for (int t = 0; t < 30; ++t) {
    renderer.draw(watched.environment(0));
    watched.step(action.data(), {.observations = seen.data()});
    alone.step(action.data(), {.observations = unseen.data()});
    ASSERT_EQ(seen, unseen) << t;
  }
}

TEST_F(Rendering, ContextsComeAndGo) {
  const auto environment = started("Reacher-v5");
  std::vector<uint8_t> first;
  for (int i = 0; i < 5; ++i) {
    MujocoRenderer renderer(*environment, {.width = 48, .height = 48});
    const EglContext between;
    const auto rgb = renderer.draw(*environment);
    if (first.empty()) first = rgb;
    EXPECT_EQ(rgb, first);
  }
}

TEST(Picture, WhatCannotBeDrawnIsNamed) {
  for (const char* id : {"Pendulum-v1", "point"}) {
    const auto environment = make_environment(id);
    EXPECT_FALSE(has_picture(*environment));
    expect_error(ErrorKind::value, id, [&] { MujocoRenderer renderer(*environment); });
  }
  const auto cheetah = make_environment("HalfCheetah-v5");
  EXPECT_TRUE(has_picture(*cheetah));
  expect_error(ErrorKind::value, "none called 'tracks', but track",
               [&] { MujocoRenderer renderer(*cheetah, {.camera = "tracks"}); });
  expect_error(ErrorKind::value, "height", [&] { MujocoRenderer renderer(*cheetah, {.height = 5000}); });
}

}  // namespace
}  // namespace plaudit
