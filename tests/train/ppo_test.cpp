#include "plaudit/train/ppo.h"

#include "plaudit/env/collect.h"
#include "plaudit/env/small_tasks.h"
#include "plaudit/train/checkpoint.h"
#include "plaudit/train/on_policy.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

at::Tensor f32(at::IntArrayRef sizes) {
  return normal(sizes).to(at::kFloat);
}

// Two episodes: the first of three steps ends the process, the second of four its time.
ReplayBatch two_episodes() {
  return {.observations = f32({7, 3}),
          .previous_actions = {},
          .actions = f32({7, 2}),
          .rewards = f32({7}),
          .next_observations = f32({7, 3}),
          .terminals = at::tensor({0.F, 0.F, 1.F, 0.F, 0.F, 0.F, 0.F}),
          .lengths = at::tensor({int64_t{3}, int64_t{4}})};
}

const PpoOptions kOnePass{.gamma = 0.9,
                          .lambda = 0.7,
                          .epochs = 1,
                          .minibatch = 7,
                          .scale_observations = false,
                          .scale_rewards = false,
                          .hidden = {8}};

// Against the definition, episode by episode: A_t = sum_k (gamma lambda)^k delta_{t+k}.
TEST(Ppo, ValuesLearnGaeReturnsAndATimeLimitIsNoEnd) {
  PpoLearner learner(3, 2, kOnePass, 10, Rng(0, "weights"));
  const auto batch = two_episodes();
  const auto value = [&](const at::Tensor& s) { return learner.critic()(s).detach().item<double>(); };
  double squares = 0;
  for (const auto& [first, last] : {std::pair<int64_t, int64_t>{0, 2}, {3, 6}}) {
    double advantage = 0;
    for (int64_t t = last; t >= first; --t) {
      const double end = batch.terminals[t].item<double>();
      const double delta =
          batch.rewards[t].item<double>() +
          0.9 * (1 - end) * value(t == last ? batch.next_observations[t] : batch.observations[t + 1]) -
          value(batch.observations[t]);
      advantage = delta + 0.9 * 0.7 * advantage;
      squares += advantage * advantage;
    }
  }
  Rng rng(0, "order");
  learner.update(batch, 1, rng);
  EXPECT_NEAR(learner.metrics().at("value_loss"), squares / 7 / 2, 1e-5);
  // The first pass is on the policy that acted: no ratio differs from 1, and whitened advantages sum to zero.
  EXPECT_NEAR(learner.metrics().at("policy_loss"), 0, 1e-6);
  EXPECT_NEAR(learner.metrics().at("approx_kl"), 0, 1e-12);
  EXPECT_EQ(learner.metrics().at("clip_fraction"), 0);
}

TEST(Ppo, TheEntropyIsThatOfANormalLaw) {
  PpoLearner learner(3, 2, kOnePass, 10, Rng(0, "weights"));
  EXPECT_NEAR(learner.actor().entropy().item<double>(), 2 * (-0.5 + 0.5 * std::log(2 * M_PI * M_E)), 1e-6);
  const auto mean = f32({5000, 2}), drawn = learner.actor().draw(mean, f32({5000, 2}));
  EXPECT_NEAR(-learner.actor().log_density(mean, drawn).mean().item<double>(),
              learner.actor().entropy().item<double>(), 0.05);
}

TEST(Ppo, ObservationsAreScaledByAllThatWasSeen) {
  auto options = kOnePass;
  options.scale_observations = true;
  PpoLearner learner(3, 2, options, 10, Rng(0, "weights"));
  Rng rng(0, "order");
  std::vector<at::Tensor> seen;
  for (int64_t step = 1; step <= 3; ++step) {
    auto batch = two_episodes();
    batch.observations = batch.observations * static_cast<double>(step) + 5;
    seen.push_back(batch.observations);
    learner.update(batch, step, rng);
  }
  const auto scaled = learner.actor().scaled(at::cat(seen));
  expect_close(scaled.mean(0), at::zeros({3}), 1e-5);
  expect_close(scaled.std(0, /*unbiased=*/false), at::ones({3}), 1e-5);
}

TEST(Ppo, AKlBeyondTheTargetEndsAnIteration) {
  auto options = kOnePass;
  options.epochs = 50;
  options.learning_rate = 0.05;
  options.target_kl = 1e-4;
  PpoLearner learner(3, 2, options, 10, Rng(0, "weights"));
  Rng rng(0, "order");
  learner.update(two_episodes(), 1, rng);
  EXPECT_LT(learner.metrics().at("passes"), 10);
  EXPECT_GT(learner.metrics().at("passes"), 1);
}

TEST(Ppo, ARewardThatIsNotFiniteIsNamedAndChangesNothing) {
  PpoLearner learner(3, 2, kOnePass, 10, Rng(0, "weights"));
  auto batch = two_episodes();
  batch.rewards[4] = NAN;
  const auto before = learner.state()[0].tensor.clone();
  Rng rng(0, "order");
  expect_error(ErrorKind::nan, "rewards", [&] { learner.update(batch, 1, rng); });
  expect_close(learner.state()[0].tensor, before, 0);
}

struct Trained {
  PpoLearner learner;
  ControlResult result;
  std::vector<double> returns;
};

Trained train_point(const std::string& folder, int64_t iterations, int64_t stop_after, uint64_t seed = 0) {
  const PpoOptions ppo{.minibatch = 64, .learning_rate = 1e-3, .hidden = {32}};
  const OnPolicyOptions options{.iterations = iterations, .steps = 500, .environments = 4, .save_every = 2};
  Trained out{PpoLearner(4, 2, ppo, iterations, Rng(seed, "weights")), {}, {}};
  ControlContext context{.rng = Rng(seed, "run"), .folder = folder};
  context.report = [&](int64_t, const ControlMetrics& m) { out.returns.push_back(m.at("return")); };
  context.interrupt = [&] {
    return stop_after > 0 && static_cast<int64_t>(out.returns.size()) >= stop_after;
  };
  out.result = train_on_policy("point", out.learner, options, context);
  return out;
}

TEST(OnPolicy, AResumedRunIsTheUninterruptedOne) {
  const TemporaryFolder one, other;
  const auto whole = train_point(one.path().string(), 5, 0);
  EXPECT_EQ(whole.result.steps, 5);
  EXPECT_TRUE(train_point(other.path().string(), 5, 3).result.interrupted);
  const auto resumed = train_point(other.path().string(), 5, 0);
  EXPECT_EQ(resumed.result.resumed_from, 3);
  const auto a = whole.learner.state(), b = resumed.learner.state();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i].tensor, b[i].tensor)) << a[i].name;
  expect_error(ErrorKind::value, "another seed", [&] { train_point(other.path().string(), 5, 0, 1); });
}

TEST(OnPolicy, ThePointLearnsToReachItsGoal) {
  const auto returns = train_point("", 40, 0).returns;
  EXPECT_GT(returns.back(), 0.4 * returns.front());  // costs are negative: less than half of it is left
}

TEST(OnPolicy, ATaskThatIsNotKnownIsNamed) {
  PpoLearner learner(4, 2, kOnePass, 1, Rng(0, "weights"));
  ControlContext context{.rng = Rng(0, "run")};
  expect_error(ErrorKind::value, "did you mean", [&] { train_on_policy("Hoper-v5", learner, {}, context); });
}

}  // namespace
}  // namespace plaudit
