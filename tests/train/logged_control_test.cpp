#include "plaudit/train/logged_control.h"

#include "plaudit/env/small_tasks.h"
#include "plaudit/train/iql.h"
#include "plaudit/train/sac.h"
#include "plaudit/train/td3_bc.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TransitionTensors some_data(int64_t rows = 64) {
  Rng rng(7, "data");
  return {rng.normal_tensor({rows, 3}), rng.normal_tensor({rows, 2}).tanh(), rng.normal_tensor({rows}),
          rng.normal_tensor({rows, 3}), at::zeros({rows}, at::kFloat)};
}

std::unique_ptr<ControlLearner> make(const std::string& kind) {
  const Rng rng(0, "weights");
  if (kind == "bc")
    return std::make_unique<CloningLearner>(3, 2, RegressedPolicyOptions{.hidden = {8}}, 300, rng);
  if (kind == "td3-bc") return std::make_unique<Td3BcLearner>(3, 2, Td3BcOptions{.hidden = {8}}, rng);
  if (kind == "edac") {
    SacOptions edac{.critics = 4, .hidden = {8, 8}, .init = "small_head"};
    edac.order = "actor-first";
    edac.diversity = 1;
    edac.log_std_min = -5;
    return std::make_unique<SacLearner>(3, 2, edac, rng);
  }
  IqlOptions iql;
  iql.policy.hidden = {8};
  return std::make_unique<IqlLearner>(3, 2, iql, 300, rng);
}

struct Trained {
  std::unique_ptr<ControlLearner> learner;
  ControlResult result;
  std::vector<int64_t> reports, evaluations;
};

Trained train_logged(const std::string& kind, const std::string& folder, int64_t stop_after,
                     const TransitionTensors& data = some_data(), int64_t batch = 16) {
  Trained out{make(kind), {}, {}, {}};
  LoggedExperience experience(data, "data", 50);
  ControlContext context{.rng = Rng(0, "run"), .folder = folder};
  context.report = [&](int64_t step, const ControlMetrics&) { out.reports.push_back(step); };
  context.evaluate = [&](int64_t step) {
    out.evaluations.push_back(step);
    return ControlMetrics{{"return", 1.0}};
  };
  context.interrupt = [&] { return stop_after > 0 && out.reports.back() >= stop_after; };
  out.result =
      train_control(experience, *out.learner,
                    {.steps = 300, .batch = batch, .save_every = 100, .evaluate_every = 100}, context);
  return out;
}

TEST(LoggedControl, AResumedRunIsTheUninterruptedOne) {
  for (const std::string kind : {"iql", "bc", "td3-bc", "edac"}) {
    const TemporaryFolder one, other;
    const auto whole = train_logged(kind, one.path().string(), 0);
    EXPECT_EQ(whole.result.steps, 300);
    EXPECT_EQ(whole.evaluations, (std::vector<int64_t>{100, 200, 300}));
    EXPECT_TRUE(train_logged(kind, other.path().string(), 150).result.interrupted);
    const auto resumed = train_logged(kind, other.path().string(), 0);
    EXPECT_EQ(resumed.result.resumed_from, 150) << kind;
    EXPECT_EQ(resumed.reports, (std::vector<int64_t>{200, 250, 300}));
    const auto a = whole.learner->state(), b = resumed.learner->state();
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i)
      EXPECT_TRUE(at::equal(a[i].tensor, b[i].tensor)) << kind << a[i].name;
    // What changes the result is another run.
    auto data = some_data();
    data.rewards[3] += 1;
    expect_error(ErrorKind::value, "experience", [&] { train_logged(kind, one.path().string(), 0, data); });
    expect_error(ErrorKind::value, "batch",
                 [&] { train_logged(kind, one.path().string(), 0, some_data(), 8); });
  }
}

TEST(LoggedControl, ErrorsNameSourceAndColumn) {
  auto data = some_data();
  data.rewards[5] = std::nanf("");
  expect_error(ErrorKind::nan, "log.hdf5: rewards", [&] { LoggedExperience(data, "log.hdf5", 1); });
  data = some_data();
  data.next_observations = data.next_observations.slice(1, 0, 2);
  expect_error(ErrorKind::shape, "next_observations", [&] { LoggedExperience(data, "log.hdf5", 1); });
  expect_error(ErrorKind::empty, "rewards", [&] { LoggedExperience(some_data(0), "log.hdf5", 1); });
}

TEST(UnitActions, FillTheBox) {
  const Box box{.low = {-2, 0}, .high = {2, 1}};
  const auto given = at::tensor({-2.0F, 0.0F, 1.0F, 0.75F}).view({2, 2});
  expect_close(unit_actions(given, box, "log"), at::tensor({-1.0F, -1.0F, 0.5F, 0.5F}).view({2, 2}), 1e-7);
  expect_close(unit_actions(at::tensor({2.000001F, 1.0F}).view({1, 2}), box, "log"),
               at::ones({1, 2}, at::kFloat), 0);
  expect_error(ErrorKind::value, "log: actions[1,1] must lie in [0, 1], got 1.5", [&] {
    unit_actions(at::tensor({0.0F, 0.0F, 0.0F, 1.5F}).view({2, 2}), box, "log");
  });
  expect_error(ErrorKind::shape, "actions", [&] { unit_actions(at::zeros({2, 3}), box, "log"); });
  expect_error(ErrorKind::value, "without bounds", [&] {
    unit_actions(at::zeros({2, 1}), Box::unbounded(1), "log");
  });
}

// Actors see what the task gives them; the scale that the learner saw is theirs, also from a file.
TEST(ControlActor, KeepsTheScaleOfObservations) {
  const TemporaryFolder folder;
  for (const std::string kind : {"mlp", "deterministic", "gaussian"}) {
    ControlActor actor({.kind = kind, .observations = 3, .actions = 2, .hidden = {8}}, Rng(0, "actor"));
    const auto s = normal({4, 3}).to(at::kFloat), mean = normal({3}), std = uniform({3}, 0.5, 2);
    const auto plain = actor.act((s - mean.to(at::kFloat)) / std.to(at::kFloat), {});
    actor.set_scale(mean, std);
    expect_close(actor.act(s, {}), plain, 1e-6);
    save_actor(actor, folder.path().string());
    expect_close(load_actor(folder.path().string()).act(s, {}), plain, 1e-6);
    expect_error(ErrorKind::shape, "mean", [&] { actor.set_scale(normal({2}), std); });
  }
}

}  // namespace
}  // namespace plaudit
