#include "plaudit/env/recorded_environment.h"

#include <array>
#include <filesystem>

#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// `episodes` of `steps` pushes each; the number of the push is its first action, in hundredths.
void play(Environment& env, int episodes, int steps, int& count, int64_t seed) {
  Rng rng(static_cast<uint64_t>(seed), "play");
  for (int e = 0; e < episodes; ++e) {
    env.reset(rng);
    for (int t = 0; t < steps; ++t) {
      const double action[] = {0.01 * count++, 0};
      env.step(action);
    }
  }
}

TEST(RecordedEnvironment, LeavesTheTransitionsOfWhatWasDone) {
  RecordedEnvironment env(make_environment("point"));
  int count = 0;
  play(env, 3, 4, count, 0);
  env.flush(12);
  const auto log = env.log(12);
  EXPECT_TRUE(at::equal(log.episode_starts, at::tensor({0, 4, 8}, at::kLong)));
  EXPECT_TRUE(at::allclose(log.actions.select(1, 0), at::arange(12) * 0.01));
  const auto v = log.observations.slice(1, 2), after = log.next_observations.slice(1, 2);
  EXPECT_TRUE(at::allclose(after, 0.8 * v + 0.2 * log.actions));
  EXPECT_FALSE(log.terminals.any().item<bool>());
  EXPECT_EQ(env.log(6).episode_starts.numel(), 2);
  // The state that a step began in, in f64: a simulation that starts there sees what the log saw.
  const auto qpos = log.infos.at("qpos"), qvel = log.infos.at("qvel");
  EXPECT_EQ(qpos.scalar_type(), at::kDouble);
  const auto simulated = make_environment("point");
  for (int64_t row = 0; row < 12; ++row) {
    std::array<double, 4> observed{};
    simulated->set_state(qpos[row].data_ptr<double>(), qvel[row].data_ptr<double>());
    simulated->observe(observed.data());
    const auto seen = at::tensor(at::ArrayRef<double>(observed), at::kDouble);
    EXPECT_TRUE(at::equal(seen.to(at::kFloat), log.observations[row])) << row;
    const std::array<double, 2> push = {0.01 * static_cast<double>(row), 0};
    simulated->step(push.data());
    simulated->observe(observed.data());
    const auto next = at::tensor(at::ArrayRef<double>(observed), at::kDouble);
    EXPECT_TRUE(at::equal(next.to(at::kFloat), log.next_observations[row])) << row;
  }
  expect_error(ErrorKind::value, "rows must lie in [1, 12], got 13", [&] { env.log(13); });
}

TEST(RecordedEnvironment, ARunThatGoesOnForgetsWhatCameAfterItsCheckpoint) {
  const TemporaryFolder folder;
  const auto path = folder / "log.f32";
  int count = 0;
  {
    RecordedEnvironment env(make_environment("point"), path);
    play(env, 2, 5, count, 0);
    env.flush(10);
    play(env, 1, 5, count, 1);  // after the checkpoint
    env.flush(15);
  }
  RecordedEnvironment env(make_environment("point"), path);
  count = 10;
  play(env, 2, 5, count, 1);
  env.flush(20);
  const auto log = env.log(20);
  EXPECT_TRUE(at::allclose(log.actions.select(1, 0), at::arange(20) * 0.01));
  EXPECT_EQ(log.episode_starts.numel(), 4);

  std::filesystem::resize_file(path, 100);
  RecordedEnvironment late(make_environment("point"), path);
  play(late, 1, 5, count, 2);
  expect_error(ErrorKind::io, "start the run anew", [&] { late.flush(25); });
}

}  // namespace
}  // namespace plaudit
