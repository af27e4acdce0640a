#include "plaudit/train/sac.h"

#include "plaudit/env/small_tasks.h"
#include "plaudit/eval/decision_frequency.h"
#include "plaudit/train/checkpoint.h"
#include "plaudit/train/off_policy.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

at::Tensor f32(at::IntArrayRef sizes) {
  return normal(sizes).to(at::kFloat);
}

ReplayBatch random_batch(int64_t rows) {
  return {f32({rows, 3}), f32({rows, 1}).tanh(), f32({rows, 1}).tanh(),
          f32({rows}),    f32({rows, 3}),        at::zeros({rows}, at::kFloat)};
}

TEST(ControlActor, ASequenceIsOneStepAfterAnother) {
  const ControlActor actor({"gru", 3, 2, {8, 8}}, Rng(0, "actor"));
  const auto s = f32({5, 3}), previous = f32({5, 2}).tanh();
  const auto two = actor.act(s, previous, 4);
  ASSERT_EQ(two.sizes(), (std::vector<int64_t>{5, 4, 2}));
  expect_close(two.slice(1, 0, 2), actor.act(s, previous, 2), 0);
  EXPECT_GT((two.select(1, 0) - actor.act(s, -previous, 1).select(1, 0)).abs().max().item<float>(), 0);
  const ControlActor single({"mlp", 3, 2, {8}}, Rng(0, "actor"));
  const auto repeated = single.act(s, previous, 3);
  expect_close(repeated.select(1, 2), repeated.select(1, 0), 0);
}

TEST(ControlActor, IsTheSameFromItsFolder) {
  const TemporaryFolder folder;
  const ControlActor actor({"gru", 3, 2, {8, 8}}, Rng(0, "actor"));
  save_actor(actor, folder.path().string());
  const auto s = f32({5, 3}), previous = f32({5, 2}).tanh();
  expect_close(load_actor(folder.path().string()).act(s, previous, 3), actor.act(s, previous, 3), 0);
}

TEST(ControlActor, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "hidden", [] { ControlActor({"gru", 3, 2, {8, 4}}, Rng(0, "actor")); });
  expect_error(ErrorKind::value, "kind", [] { ControlActor({"rnn", 3, 2, {8, 8}}, Rng(0, "actor")); });
}

// The actor's loss must move the actor and the temperature alone.
TEST(Sac, EachLossTrainsItsOwnNetwork) {
  for (const int64_t sequence : {1, 3}) {
    SacOptions options{.sequence = sequence, .hidden = {8, 8}, .model_hidden = {8}};
    options.actor_every = 2;
    SacLearner learner(3, 1, options, Rng(0, "weights"));
    const auto values = [&] {
      std::map<std::string, at::Tensor> out;
      for (const auto& [name, tensor] : learner.state()) out[name] = tensor.clone();
      return out;
    };
    Rng rng(0, "noise");
    auto before = values();
    learner.update(random_batch(6), 1, rng);  // not the actor's turn
    auto after = values();
    const auto moved = [&](const std::string& name) { return !at::equal(before.at(name), after.at(name)); };
    EXPECT_FALSE(moved("actor.encoder.0.weight"));
    EXPECT_FALSE(moved("log_temperature"));
    EXPECT_TRUE(moved("critic.0.weight"));
    EXPECT_TRUE(moved("target_critic.0.weight"));
    EXPECT_EQ(after.count("model.0.weight"), sequence > 1 ? 1u : 0u);
    before = after;
    learner.update(random_batch(6), 2, rng);
    after = values();
    EXPECT_TRUE(moved("actor.encoder.0.weight"));
    EXPECT_TRUE(moved("log_temperature"));
    if (sequence > 1) {
      EXPECT_TRUE(moved("actor.gru.weight_ih"));
      EXPECT_TRUE(moved("slow_model.0.weight"));
    }
  }
}

TEST(Sac, ALossThatIsNotFiniteChangesNothing) {
  SacLearner learner(3, 1, {.hidden = {8, 8}}, Rng(0, "weights"));
  auto batch = random_batch(4);
  batch.rewards = batch.rewards * 1e30F;
  const auto before = learner.state()[0].tensor.clone();
  Rng rng(0, "noise");
  expect_error(ErrorKind::nan, "critics", [&] { learner.update(batch, 0, rng); });
  expect_close(learner.state()[0].tensor, before, 0);
}

struct Trained {
  SacLearner learner;
  ControlResult result;
};

Trained train_point(const std::string& folder, int64_t stop_after, uint64_t seed = 0) {
  const auto environment = make_point();
  SacOptions sac{.sequence = 2, .hidden = {8, 8}, .model_hidden = {8}};
  const OffPolicyOptions options{.steps = 300, .random_steps = 60, .batch = 8, .save_every = 100};
  Trained out{SacLearner(4, 2, sac, Rng(seed, "weights")), {}};
  ControlContext context{.rng = Rng(seed, "run"), .folder = folder};
  int64_t episodes = 0;
  context.report = [&](int64_t, const ControlMetrics&) { ++episodes; };
  context.interrupt = [&] { return stop_after > 0 && episodes >= stop_after; };
  out.result = train_off_policy(*environment, out.learner, options, context);
  return out;
}

TEST(OffPolicy, AResumedRunIsTheUninterruptedOne) {
  const TemporaryFolder one, other;
  const auto whole = train_point(one.path().string(), 0);
  EXPECT_EQ(whole.result.steps, 300);
  EXPECT_TRUE(train_point(other.path().string(), 3).result.interrupted);
  const auto resumed = train_point(other.path().string(), 0);
  EXPECT_EQ(resumed.result.resumed_from, 150);
  EXPECT_EQ(resumed.result.steps, 300);
  const auto a = whole.learner.state(), b = resumed.learner.state();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i].tensor, b[i].tensor)) << a[i].name;
  expect_error(ErrorKind::value, "another seed", [&] { train_point(other.path().string(), 0, 1); });
}

TEST(FrequencyReturns, ACalmPolicyLosesNothingByWaiting) {
  const auto zero = [](const at::Tensor& s, const at::Tensor&, int64_t length) {
    return at::zeros({s.size(0), length, 2}, at::kFloat);
  };
  const auto returns = frequency_returns(make_point, zero, {1, 7, 30}, 4, Rng(0, "starts"));
  ASSERT_EQ(returns.sizes(), (std::vector<int64_t>{3, 4}));
  expect_close(returns[1], returns[0], 1e-12);
  expect_close(returns[2], returns[0], 1e-12);
  EXPECT_GT((returns[0][0] - returns[0][1]).abs().item<double>(), 1e-3);  // other starts
}

TEST(FrequencyReturns, AControllerSuffersFromOldObservations) {
  const auto controller = [](const at::Tensor& s, const at::Tensor&, int64_t length) {
    auto out = at::empty({s.size(0), length, 2}, at::kFloat);
    for (int64_t e = 0; e < s.size(0); ++e) {
      const auto row = s[e].to(at::kDouble).contiguous();
      double action[2];
      point_controller(row.data_ptr<double>(), action);
      for (int64_t i = 0; i < 2; ++i) out.select(0, e).select(1, i).fill_(action[i]);
    }
    return out;
  };
  const auto returns = frequency_returns(make_point, controller, {1, 20}, 8, Rng(0, "starts")).mean(1);
  EXPECT_GT(returns[0].item<double>(), returns[1].item<double>() + 1);
  expect_error(ErrorKind::value, "lengths", [&] {
    frequency_returns(make_point, controller, {0, 1}, 1, Rng(0, "starts"));
  });
}

}  // namespace
}  // namespace plaudit
