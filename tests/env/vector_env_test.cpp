#include "plaudit/env/vector_env.h"

#include <atomic>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// A vector of environments with buffers, and the same actions whatever the number of rows.
struct Player {
  VectorEnv env;
  int64_t n = env.size(), width = env.spec().observation.size(), acts = env.spec().action.size();
  std::vector<double> observations = std::vector<double>(n * width), next = observations,
                      rewards = std::vector<double>(n);
  std::unique_ptr<bool[]> terminated{new bool[n]}, truncated{new bool[n]}, valid{new bool[n]};
  Rng random{7, "actions"};

  Player(const std::string& id, int64_t count, const VectorEnvOptions& options) : env(id, count, options) {
    env.reset(0, observations.data());
  }
  // Goes on as `other` does.
  Player(const Player& other) : env(other.env), random(other.random) {}
  void step(double scale = 1) {
    std::vector<double> actions;
    for (int64_t j = 0; j < acts; ++j) {
      const double a = scale * (2 * random.uniform() - 1) * env.spec().action.high[j];
      for (int64_t i = 0; i < n; ++i) actions.resize(n * acts), actions[i * acts + j] = a;
    }
    env.step(actions.data(), {observations.data(), rewards.data(), terminated.get(), truncated.get(),
                              next.data(), valid.get()});
  }
  std::vector<double> row(const std::vector<double>& all, int64_t i) const {
    return {all.begin() + i * width, all.begin() + (i + 1) * width};
  }
};

TEST(VectorEnv, NumbersDependNeitherOnThreadsNorOnNeighbours) {
  Player alone("Hopper-v5", 1, {.threads = 1}), many("Hopper-v5", 5, {.threads = 3});
  for (int t = 0; t < 200; ++t) {
    alone.step();
    many.step();
    EXPECT_EQ(alone.observations, many.row(many.observations, 0));
    EXPECT_EQ(alone.rewards[0], many.rewards[0]);
  }
}

TEST(VectorEnv, NextStepResetsInTheStepAfterTheEnd) {
  Player p("point", 2, {});
  for (int t = 0; t < 50; ++t) {
    p.step();
    EXPECT_TRUE(p.valid[0]);
    EXPECT_EQ(p.truncated[0], t == 49);
    EXPECT_FALSE(p.terminated[0]);
  }
  p.step();
  EXPECT_FALSE(p.valid[0]);
  EXPECT_FALSE(p.truncated[0]);
  EXPECT_EQ(p.rewards[0], 0);
  EXPECT_EQ(p.observations[2], 0);  // at rest
  EXPECT_NE(p.observations[0], p.observations[4]);
}

TEST(VectorEnv, SameStepGivesBothObservations) {
  Player p("point", 1, {.auto_reset = AutoReset::same_step, .max_steps = 3}), q("point", 1, {.max_steps = 3});
  for (int t = 0; t < 3; ++t) p.step(), q.step();
  EXPECT_TRUE(p.truncated[0]);
  EXPECT_EQ(p.next, q.observations);
  q.step();  // starts the next episode, from the same stream
  EXPECT_EQ(p.observations, q.observations);
}

TEST(VectorEnv, InfosStandBesideTheObservationsTheyBelongTo) {
  VectorEnv env("HalfCheetah-v5", 2, {.auto_reset = AutoReset::same_step, .max_steps = 2});
  const auto& infos = env.spec().infos;
  ASSERT_EQ(infos.size(), 4u);  // x_position, x_velocity, reward_forward, reward_ctrl
  EXPECT_TRUE(infos[0].at_start);
  const int64_t width = env.spec().info_width();
  std::vector<double> now(2 * width), led_to(2 * width), rewards(2), qpos(9), qvel(9);
  const std::vector<double> actions(12, 0.5);
  env.reset(0, nullptr);
  env.report(0, now.data());
  env.get_state(0, qpos.data(), qvel.data());
  EXPECT_EQ(now[0], qpos[0]);
  EXPECT_EQ(now[1], 0);
  for (int step = 0; step < 2; ++step) {
    env.step(actions.data(), {.rewards = rewards.data(), .infos = now.data(), .next_infos = led_to.data()});
    const double* of = led_to.data() + width;  // the second row
    EXPECT_EQ(of[1], of[2]);                   // forward weight 1
    EXPECT_NEAR(of[3], -0.1 * 6 * 0.25, 1e-15);
    EXPECT_NEAR(rewards[1], of[2] + of[3], 1e-12);
    if (step == 0) EXPECT_EQ(now, led_to);
  }
  // The episode ended: `now` is the start of the next one.
  env.get_state(1, qpos.data(), qvel.data());
  EXPECT_EQ(now[width], qpos[0]);
  EXPECT_EQ(now[width + 3], 0);
  EXPECT_NE(led_to[width], qpos[0]);
}

TEST(VectorEnv, OffRefusesToGoOn) {
  Player p("point", 1, {.auto_reset = AutoReset::off, .max_steps = 1});
  p.step();
  expect_error(ErrorKind::value, "environment 0 has ended", [&] { p.step(); });
  const bool all[] = {true};
  p.env.reset_some(all, p.observations.data());
  EXPECT_NO_THROW(p.step());
}

TEST(VectorEnv, BadActionsAreNamedBeforeAnythingMoves) {
  Player p("point", 3, {});
  const auto before = p.observations;
  std::vector<double> actions = {0, 0, 0, 1.5, 0, NAN};
  const auto step = [&](Player& player) { player.env.step(actions.data(), {player.observations.data()}); };
  expect_error(ErrorKind::value, "actions[1,1] must lie in [-1, 1], got 1.5", [&] { step(p); });
  Player loose("point", 3, {.refuse_outside = false});
  expect_error(ErrorKind::nan, "actions[2,1] is nan", [&] { step(loose); });
  std::vector<double> now(4);
  p.env.observe(1, now.data());
  EXPECT_EQ(now, p.row(before, 1));
}

TEST(VectorEnv, DivergenceIsReportedAndIsNoTransition) {
  const auto blow_up = [](Player& p) {
    p.step();
    const std::vector<double> still(9), fast(9, 1e12);
    p.env.set_state(1, still.data(), fast.data());
  };
  Player strict("HalfCheetah-v5", 2, {});
  blow_up(strict);
  expect_error(ErrorKind::nan, "environment 1 (seed 1) diverged at step 0 of episode 0: a velocity",
               [&] { strict.step(); });
  EXPECT_NO_THROW(strict.step());  // an episode begins

  Player lenient("HalfCheetah-v5", 2, {.refuse_divergence = false});
  blow_up(lenient);
  lenient.step();
  EXPECT_TRUE(lenient.valid[0]);
  EXPECT_FALSE(lenient.valid[1]);
  EXPECT_TRUE(lenient.truncated[1]);
  for (const double x : lenient.observations) EXPECT_TRUE(std::isfinite(x));
  ASSERT_EQ(lenient.env.divergences().size(), 1u);
  EXPECT_EQ(lenient.env.divergences()[0].seed, 1u);
}

TEST(VectorEnv, ACopyContinuesExactly) {
  Player a("Ant-v5", 1, {});
  for (int t = 0; t < 10; ++t) a.step();
  Player b(a);
  for (int t = 0; t < 30; ++t) {
    a.step();
    b.step();
    EXPECT_EQ(a.observations, b.observations);
    EXPECT_EQ(a.rewards, b.rewards);
  }
}

TEST(VectorEnv, OptionsAreChecked) {
  expect_error(ErrorKind::value, "did you mean 'Hopper-v5'", [] { VectorEnv("Hoper-v5", 1); });
  expect_error(ErrorKind::value, "Pusher-v5", [] { VectorEnv("Pusher-v4", 1); });
  expect_error(ErrorKind::value, "n must be >= 1", [] { VectorEnv("point", 0); });
}

}  // namespace
}  // namespace plaudit
