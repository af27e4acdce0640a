#include "plaudit/train/loop.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <thread>

#include "plaudit/core/errors.h"
#include "plaudit/train/checkpoint.h"
#include "tests/train/folder.h"
#include "tests/train/thread_sum.h"
#include "tests/train/toy.h"

namespace plaudit {
namespace {

TrainContext context_in(const std::string& folder = "") {
  return {.rng = Rng(3, "train"), .folder = folder};
}

double difference(const ToyObjective& a, const ToyObjective& b) {
  return (a.flat() - b.flat()).abs().max().item<double>();
}

std::string message_of_run(Objective& objective, const TrainOptions& options, TrainContext& context) {
  try {
    train(objective, options, context);
  } catch (const UserError& error) {
    return message_of(error);
  }
  return "trained";
}

TEST(Loop, Converges) {
  ToyObjective toy;
  auto options = toy_train_options();
  options.epochs = 60;
  auto context = context_in();
  const double before = evaluate_objective(toy, 1000).at("loss");
  const auto result = train(toy, options, context);
  EXPECT_EQ(result.steps, 300);
  EXPECT_LT(evaluate_objective(toy, 1000).at("loss"), 0.1 * before);
}

// The gradient of a batch, cut into passes by `budget` tokens.
void train_with_budget(ToyObjective& toy, int64_t budget) {
  auto options = toy_train_options();
  options.tokens_per_batch = budget;
  auto context = context_in();
  train(toy, options, context);
}

TEST(Loop, AccumulationEqualsTheLargeBatch) {
  for (const auto& [dtype, tolerance] : {std::pair{at::kDouble, 1e-12}, std::pair{at::kFloat, 1e-5}}) {
    ToyObjective whole({.dtype = dtype}), cut({.dtype = dtype});
    train_with_budget(whole, 1000);
    train_with_budget(cut, 10);
    EXPECT_EQ(whole.passes, 30);
    EXPECT_GE(cut.passes, 4 * 30);
    EXPECT_LT(difference(whole, cut), tolerance) << at::toString(dtype);
  }
}

TEST(Loop, RanksEqualOneProcessWithTheirBatch) {
  ToyObjective alone({.dtype = at::kDouble});
  auto options = toy_train_options();
  options.batch = 9;  // uneven shares; the last batch of an epoch has fewer examples than ranks
  auto context = context_in();
  std::map<std::string, double> metrics;
  context.metrics = [&](int64_t, const auto& values) { metrics = values; };
  train(alone, options, context);

  constexpr int64_t world = 5;
  ThreadSum sum(world);
  std::vector<std::unique_ptr<ToyObjective>> toys;
  std::map<std::string, double> metrics_of_ranks;
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < world; ++rank) {
    toys.push_back(std::make_unique<ToyObjective>(ToyOptions{.dtype = at::kDouble}));
    threads.emplace_back([&, rank, toy = toys.back().get()] {
      auto own = context_in();
      own.collective = sum.collective(rank);
      own.metrics = [&](int64_t, const auto& values) { metrics_of_ranks = values; };
      train(*toy, options, own);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& toy : toys) EXPECT_LT(difference(alone, *toy), 1e-12);
  for (const char* name : {"loss", "error", "gradient_norm"})
    EXPECT_NEAR(metrics.at(name), metrics_of_ranks.at(name), 1e-12) << name;
}

TEST(Loop, ClippingBoundsTheStep) {
  // Plain numbers: one step of AdamW moves by the rate whatever the norm, so watch the first moment instead.
  const TestFolder folder("loop-clip");
  ToyObjective toy({.dtype = at::kDouble});
  auto options = toy_train_options();
  options.max_steps = 1;
  options.clip = 0.01;
  auto context = context_in(folder.path());
  const auto result = train(toy, options, context);
  EXPECT_GT(result.metrics.at("gradient_norm"), 0.01);
  const auto means = at::zeros({3, 8}, at::kDouble), mean_b = at::zeros({8}, at::kDouble);
  load_checkpoint(result.checkpoint, {{"adamw.mean/a", means}, {"adamw.mean/b", mean_b}});
  const double norm = at::cat({means.flatten(), mean_b}).norm().item<double>() / (1 - options.beta1);
  EXPECT_NEAR(norm, 0.01, 1e-5);
}

TEST(Loop, MetricsAreWeightedMeansOverTheBatch) {
  ToyObjective toy({.dtype = at::kDouble});
  const auto whole = evaluate_objective(toy, 1000);
  auto options = toy_train_options();
  options.batch = 40;
  options.max_steps = 1;
  auto context = context_in();
  std::vector<int64_t> done;
  context.progress = [&](int64_t step, int64_t total, const std::string&) {
    EXPECT_EQ(total, 1);
    done.push_back(step);
  };
  const auto result = train(toy, options, context);
  EXPECT_NEAR(result.metrics.at("loss"), whole.at("loss"), 1e-12);
  EXPECT_NEAR(result.metrics.at("error"), whole.at("error"), 1e-12);
  EXPECT_EQ(result.tokens, 40 * 5);
  EXPECT_EQ(done, std::vector<int64_t>{1});
}

TEST(Loop, EvaluatesOnTimeAndAtTheEnd) {
  ToyObjective toy;
  auto options = toy_train_options();
  options.evaluate_every = 20;
  auto context = context_in();
  std::vector<int64_t> steps;
  context.evaluate = [&](int64_t step) {
    steps.push_back(step);
    return std::map<std::string, double>{{"held_out", 0.5}};
  };
  EXPECT_EQ(train(toy, options, context).metrics.at("held_out"), 0.5);
  EXPECT_EQ(steps, (std::vector<int64_t>{20, 30}));
}

TEST(Loop, AnInterruptFinishesTheStepAndTheNextRunContinues) {
  const TestFolder folder("loop-interrupt");
  ToyObjective whole({.dropout = 0.2}), stopped({.dropout = 0.2}), resumed({.dropout = 0.2});
  auto context = context_in();
  train(whole, toy_train_options(), context);

  auto first = context_in(folder.path());
  int64_t steps = 0;
  first.metrics = [&](int64_t step, const auto&) { steps = step; };
  first.interrupt = [&] { return steps >= 10; };
  first.save_state = [&] { return Json{{"lines", steps}}; };
  const auto result = train(stopped, toy_train_options(), first);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.steps, 11);
  EXPECT_EQ(list_checkpoints(folder.path()).front().step, 11);

  auto second = context_in(folder.path());
  Json state;
  second.load_state = [&](const Json& saved) { state = saved; };
  const auto rest = train(resumed, toy_train_options(), second);
  EXPECT_EQ(rest.resumed_from, 11);
  EXPECT_FALSE(rest.interrupted);
  EXPECT_EQ(state, Json({{"lines", 11}}));
  EXPECT_EQ(difference(whole, resumed), 0);
  // Once more: nothing is left to do.
  const auto passes = resumed.passes;
  EXPECT_EQ(train(resumed, toy_train_options(), second).steps, 30);
  EXPECT_EQ(resumed.passes, passes);
}

TEST(Loop, ACheckpointOfAnotherRunIsRefused) {
  const TestFolder folder("loop-other");
  auto context = context_in(folder.path());
  ToyObjective toy, other_data({.data_seed = 8});
  train(toy, toy_train_options(), context);
  auto options = toy_train_options();
  options.learning_rate = 0.5;
  auto message = message_of_run(toy, options, context);
  EXPECT_NE(message.find("learning_rate was 0.02, is now 0.5"), std::string::npos) << message;
  message = message_of_run(other_data, toy_train_options(), context);
  EXPECT_NE(message.find("fingerprint of data and model"), std::string::npos) << message;
  options = toy_train_options();
  options.checkpoint_every = 7;
  EXPECT_EQ(message_of_run(toy, options, context), "trained");
}

TEST(Loop, ANanStopsWithTheBatchSavedAndNothingLearnt) {
  const TestFolder folder("loop-nan");
  ToyObjective toy({.nan_at = {5}});
  auto options = toy_train_options();
  auto context = context_in(folder.path());
  int64_t steps = 0;
  at::Tensor before = toy.flat();
  context.metrics = [&](int64_t step, const auto&) {
    steps = step;
    before = toy.flat();
  };
  const auto message = message_of_run(toy, options, context);
  const auto file = folder.path() + "/bad-batch-step-" + std::to_string(steps + 1) + ".json";
  EXPECT_NE(message.find("train.toy: step " + std::to_string(steps + 1)), std::string::npos) << message;
  EXPECT_NE(message.find(file), std::string::npos) << message;
  EXPECT_NE(message.find("example 5 (loss nan): point 5"), std::string::npos) << message;
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_TRUE(at::equal(before, toy.flat()));
}

TEST(Loop, ANanIsSkippedAndCountedOnRequest) {
  ToyObjective toy({.nan_at = {5, 6}});
  auto options = toy_train_options();
  options.batch = 1;
  options.epochs = 2;
  options.on_nan = "skip";
  auto context = context_in();
  const auto result = train(toy, options, context);
  EXPECT_EQ(result.skipped, 4);
  EXPECT_EQ(result.steps, 80);
  EXPECT_TRUE(at::isfinite(toy.flat()).all().item<bool>());
}

TEST(Loop, NoExamplesIsAnError) {
  ToyObjective toy({.examples = 0});
  auto context = context_in();
  EXPECT_EQ(message_of_run(toy, toy_train_options(), context),
            "train.toy: there are no examples to train on");
}

}  // namespace
}  // namespace plaudit
