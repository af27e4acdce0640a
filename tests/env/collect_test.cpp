#include "plaudit/env/collect.h"

#include <nlohmann/json.hpp>

#include "plaudit/env/small_tasks.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

Tensor controller(const Tensor& observations, const Tensor&) {
  const auto o = observations.to(at::kDouble).contiguous();
  auto actions = at::empty({o.size(0), 2}, at::kDouble);
  for (int64_t i = 0; i < o.size(0); ++i)
    point_controller(o.const_data_ptr<double>() + 4 * i, actions.mutable_data_ptr<double>() + 2 * i);
  return actions;
}

void expect_same(const ControlData& a, const ControlData& b) {
  EXPECT_TRUE(at::equal(a.observations, b.observations));
  EXPECT_TRUE(at::equal(a.next_observations, b.next_observations));
  EXPECT_TRUE(at::equal(a.actions, b.actions));
  EXPECT_TRUE(at::equal(a.rewards, b.rewards));
  EXPECT_TRUE(at::equal(a.timeouts, b.timeouts));
}

TEST(Collect, TheLogDoesNotDependOnHowManyRunSideBySide) {
  const Behaviour noisy{.act = controller, .skill_low = 0, .skill_high = 1};
  const auto alone = collect("point", noisy, {.steps = 420, .side_by_side = 1}, 5).data,
             together = collect("point", noisy, {.steps = 420, .side_by_side = 4}, 5).data;
  expect_same(alone, together);
  EXPECT_EQ(alone.size(), 450);  // nine whole episodes
  EXPECT_EQ(Json::parse(alone.metadata)["environment"], "point");
}

TEST(Collect, EpisodesOfAnyLengthKeepTheirOrder) {
  const auto alone = collect("Hopper-v5", {}, {.episodes = 12, .side_by_side = 1}, 3).data,
             together = collect("Hopper-v5", {}, {.episodes = 12, .side_by_side = 5}, 3).data;
  expect_same(alone, together);
  EXPECT_EQ(alone.episode_starts.numel(), 12);
  EXPECT_EQ(alone.terminals.sum().item<int64_t>(), 12);
}

// Rows are what the task does: the same actions from the same start give the same observations and rewards.
TEST(Collect, RowsAreTransitionsOfTheTask) {
  const auto data = collect("HalfCheetah-v5", {}, {.episodes = 2, .side_by_side = 2}, 7).data;
  VectorEnv env("HalfCheetah-v5", 1);
  std::vector<double> seen(17), reward(1);
  env.reset(8, seen.data());  // the second episode is that of the next seed
  for (int64_t t = 1000; t < 1050; ++t) {
    const auto now = at::tensor(seen, at::kDouble).to(at::kFloat);
    EXPECT_TRUE(at::equal(data.observations[t], now)) << t;
    const auto action = data.actions[t].to(at::kDouble);
    env.step(action.const_data_ptr<double>(), {.observations = seen.data(), .rewards = reward.data()});
    EXPECT_EQ(data.rewards[t].item<float>(), static_cast<float>(reward[0]));
    EXPECT_TRUE(at::equal(data.next_observations[t], at::tensor(seen, at::kDouble).to(at::kFloat)));
  }
  EXPECT_FALSE(data.terminals.any().item<bool>());
  EXPECT_TRUE(data.timeouts[999].item<bool>());
}

TEST(Collect, SkillMixesABehaviourWithNoise) {
  const auto earn = [](double skill) {
    const auto data =
        collect("point", {.act = controller, .skill_low = skill, .skill_high = skill}, {.episodes = 100}, 1)
            .data;
    return episode_returns(data).mean().item<double>();
  };
  const double best = earn(1), half = earn(0.5), none = earn(0);
  EXPECT_GT(best, half + 1);
  EXPECT_GT(half, none + 5);
}

TEST(Collect, ADivergedEpisodeIsReportedAndNotKept) {
  CollectOptions options{.episodes = 6, .side_by_side = 3};
  const auto clean = collect("HalfCheetah-v5", {}, options, 20);
  EXPECT_TRUE(clean.divergences.empty());
  options.at_start = [](VectorEnv& env, int64_t index, int64_t episode) {
    const std::vector<double> still(9), fast(9, 1e12);
    if (episode == 2) env.set_state(index, still.data(), fast.data());
  };
  const auto log = collect("HalfCheetah-v5", {}, options, 20);
  ASSERT_EQ(log.divergences.size(), 1u);
  EXPECT_EQ(log.divergences[0].seed, 22u);
  EXPECT_EQ(log.divergences[0].step, 0);
  EXPECT_EQ(log.data.size(), 5000);
  expect_same(rows_of(log.data, 2000, 3000), rows_of(clean.data, 3000, 3000));
  EXPECT_TRUE(log.data.observations.isfinite().all().item<bool>());
}

TEST(Collect, WhatABehaviourGaveIsKeptBesideWhatWasDone) {
  const auto wild = [](const Tensor& o, const Tensor& noise) { return 0.1 * o.narrow(1, 0, 2) + 2 * noise; };
  const auto log = collect("point", {.act = wild}, {.episodes = 3, .side_by_side = 2, .keep_drawn = true}, 4);
  ASSERT_EQ(log.drawn.sizes(), log.data.actions.sizes());
  EXPECT_GT(log.drawn.abs().max().item<float>(), 2);
  EXPECT_TRUE(at::equal(log.drawn.clamp(-1, 1), log.data.actions));
  EXPECT_FALSE(collect("point", {.act = wild}, {.episodes = 1}, 4).drawn.defined());
  expect_error(ErrorKind::value, "keep_drawn", [] { collect("point", {}, {.keep_drawn = true}, 0); });
}

TEST(Collect, AStateThatWasKeptLeadsToTheSameStep) {
  const auto data =
      collect("HalfCheetah-v5", {}, {.episodes = 2, .side_by_side = 2, .keep_states = true}, 7).data;
  const auto qpos = data.infos.at("qpos"), qvel = data.infos.at("qvel");
  ASSERT_EQ(qpos.sizes(), (std::vector<int64_t>{2000, 9}));
  ASSERT_EQ(qvel.sizes(), (std::vector<int64_t>{2000, 9}));
  EXPECT_TRUE(collect("point", {}, {.episodes = 1}, 7).data.infos.empty());
  const auto environment = make_environment("HalfCheetah-v5");
  for (const int64_t row : {0, 5, 1999}) {
    environment->set_state(qpos[row].const_data_ptr<double>(), qvel[row].const_data_ptr<double>());
    auto seen = at::empty({17}, at::kDouble);
    environment->observe(seen.mutable_data_ptr<double>());
    EXPECT_TRUE(at::equal(seen.to(at::kFloat), data.observations[row])) << row;
    const auto action = data.actions[row].to(at::kDouble).contiguous();
    const auto outcome = environment->step(action.const_data_ptr<double>());
    // Without the warm start of the log's own simulation, to the solver's precision.
    EXPECT_NEAR(outcome.reward, data.rewards[row].item<double>(), 1e-3) << row;
  }
}

TEST(Collect, WhatDoesNotFitIsRefused) {
  expect_error(ErrorKind::shape, "the behaviour's actions", [] {
    collect("point",
            {.act =
                 [](const Tensor& o, const Tensor&) {
                   return at::zeros({o.size(0), 3});
                 }},
            {}, 0);
  });
  expect_error(ErrorKind::nan, "the behaviour's actions", [] {
    collect("point",
            {.act =
                 [](const Tensor& o, const Tensor&) {
                   return at::full({o.size(0), 2}, NAN);
                 }},
            {}, 0);
  });
  expect_error(ErrorKind::value, "steps", [] { collect("point", {}, {.steps = 0}, 0); });
  expect_error(ErrorKind::value, "skill_low", [] { collect("point", {.skill_low = 2}, {}, 0); });
}

}  // namespace
}  // namespace plaudit
