#include "plaudit/eval/control_rollout.h"

#include <filesystem>
#include <iostream>
#include <numeric>

#include "plaudit/env/small_tasks.h"
#include "plaudit/model/tanh_gaussian.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

double mean(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return (x[(x.size() - 1) / 2] + x[x.size() / 2]) / 2;
}

Tensor controller(const Tensor& observations) {
  const auto o = observations.to(at::kDouble).contiguous();
  auto actions = at::empty({o.size(0), 2}, at::kDouble);
  for (int64_t i = 0; i < o.size(0); ++i)
    point_controller(o.const_data_ptr<double>() + 4 * i, actions.mutable_data_ptr<double>() + 2 * i);
  return actions;
}

TEST(ControlReturns, DoNotDependOnHowManyRunSideBySide) {
  const auto alone = control_returns("point", controller, 7, 5, 1),
             together = control_returns("point", controller, 7, 5, 4);
  EXPECT_EQ(alone.returns, together.returns);
  EXPECT_EQ(alone.lengths, std::vector<int64_t>(7, 50));
}

TEST(ControlReturns, AControllerBeatsRandomActions) {
  const auto random = [](const Tensor& o) { return uniform({o.size(0), 2}, -1, 1); };
  EXPECT_GT(mean(control_returns("point", controller, 50).returns),
            mean(control_returns("point", random, 50).returns) + 10);
}

TEST(ControlReturns, APolicyOfAnotherWidthIsRefused) {
  const auto wrong = [](const Tensor& o) { return at::zeros({o.size(0), 3}); };
  expect_error(ErrorKind::shape, "policy's actions", [&] { control_returns("point", wrong, 2); });
  expect_error(ErrorKind::value, "episodes", [&] { control_returns("point", controller, 0); });
}

TEST(ControlReturns, AWatchedEpisodeIsTheSameEpisode) {
  const ControlActor actor({.observations = 4, .actions = 2, .hidden = {8}}, Rng(1, "actor"));
  std::vector<int64_t> seen;
  const auto watch = [&](int64_t step, const Environment& environment) {
    EXPECT_EQ(environment.spec().id, "point");
    seen.push_back(step);
    return true;
  };
  const auto whole = control_returns("point", actor, 1, 6),
             watched = watched_return("point", actor, 6, watch);
  EXPECT_EQ(watched.returns, whole.returns);
  EXPECT_EQ(watched.lengths, whole.lengths);
  EXPECT_EQ(seen.size(), 50u);
  EXPECT_EQ(seen.back(), 49);
  const auto part =
      watched_return("point", actor, 6, [](int64_t step, const Environment&) { return step < 7; });
  EXPECT_EQ(part.lengths[0], 7);
  EXPECT_GT(part.returns[0], whole.returns[0]);  // rewards are costs
}

// Uniform random actions under MuJoCo 4, within three standard errors of the mean measured there with
// Gymnasium.
TEST(ControlReturns, RandomActionsEarnWhatTheyEarnElsewhere) {
  const auto earn = [](const std::string& task, int64_t actions, int64_t episodes) {
    at::manual_seed(0);
    const auto random = [actions](const Tensor& o) { return uniform({o.size(0), actions}, -1, 1); };
    return mean(control_returns(task, random, episodes).returns);
  };
  EXPECT_NEAR(earn("HalfCheetah-v5", 6, 20), -282, 3 * 78 / std::sqrt(20));
  EXPECT_NEAR(earn("Hopper-v5", 3, 200), 17.5, 3 * 15 / std::sqrt(200));
  EXPECT_NEAR(earn("Walker2d-v5", 6, 200), 1.8, 3 * 6 / std::sqrt(200));
}

// Trained actors of the RL Baselines3 Zoo, 20 episodes under MuJoCo 4.
TEST(ControlReturns, TrainedActorsEarnWhatTheyEarnInGymnasium) {
  const std::string folder = "../shared/data/";
  if (!std::filesystem::exists(folder + "sac-actor-hopper-v3.safetensors"))
    GTEST_SKIP() << folder << " holds no actors";
  const auto returns = [&](const std::string& task, const std::string& actor) {
    const auto policy = load_tanh_gaussian_policy(folder + "sac-actor-" + actor + "-v3.safetensors");
    auto all = control_returns(
                   task, [&](const Tensor& o) { return policy.act(o); }, 20)
                   .returns;
    std::cout << task << ": mean " << mean(all) << ", median " << median(all) << "\n";
    return all;
  };
  const double cheetah = mean(returns("HalfCheetah-v5", "halfcheetah")),
               walker = mean(returns("Walker2d-v5", "walker2d")),
               hopper = median(returns("Hopper-v5", "hopper"));
  EXPECT_GT(cheetah, 9300);
  EXPECT_LT(cheetah, 9530);
  EXPECT_GT(walker, 3700);
  EXPECT_LT(walker, 4050);
  EXPECT_GT(hopper, 1070);
  EXPECT_LT(hopper, 1140);
}

}  // namespace
}  // namespace plaudit
