#include "plaudit/train/policy_gradient.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <thread>

#include "plaudit/core/errors.h"
#include "tests/support/tiny_model.h"
#include "tests/train/folder.h"
#include "tests/train/thread_sum.h"

namespace plaudit {
namespace {

// The share of bytes that are letters of the first half of all bytes; prompts of `bad` cannot be judged.
class HalfJudge : public Judge {
 public:
  std::string name() const override { return "half"; }
  std::vector<Judgement> judge(const std::vector<Answer>& answers) override {
    std::vector<Judgement> out;
    for (const auto& answer : answers) {
      double low = 0;
      for (const unsigned char c : answer.text) low += c < 128 ? 1 : 0;
      const bool bad = answer.extra.contains("bad");
      out.push_back({answer.text.empty() ? 0 : low / static_cast<double>(answer.text.size()),
                     bad ? "cannot be judged" : ""});
    }
    return out;
  }
};

LanguageModel lora_model() {
  auto model = tiny_model();
  model.transformer->add_lora({.rank = 4, .alpha = 8}, 0);
  return model;
}

std::unique_ptr<PolicyGradientObjective> objective_of(
    const LanguageModel& model, PolicyGradientOptions options = {},
    const std::vector<Json>& extra = std::vector<Json>(6, Json::object())) {
  std::vector<Prompt> prompts;
  for (size_t i = 0; i < extra.size(); ++i) prompts.push_back(text_prompt("prompt " + std::to_string(i)));
  return std::make_unique<PolicyGradientObjective>(model, prompts, extra, std::make_unique<HalfJudge>(),
                                                   SamplingOptions{.max_new_tokens = 6, .per_prompt = 4},
                                                   options, Rng(3, "rollouts"));
}

TrainOptions quick(int64_t steps) {
  TrainOptions options;
  options.max_steps = steps;
  options.batch = 3;
  options.learning_rate = 1e-2;
  options.schedule = "constant";
  options.warmup = 0;
  options.checkpoint_every = 1;
  return options;
}

std::vector<at::Tensor> weights(const LanguageModel& model) {
  std::vector<at::Tensor> out;
  for (const auto& [name, tensor] : model.transformer->trainable()) out.push_back(tensor.detach().clone());
  return out;
}

TEST(PolicyGradient, LearnsWhatTheJudgeLikes) {
  for (const auto* advantage : {"group", "group-mean", "leave-one-out"}) {
    // All weights: an update of rank 4 inside cannot move the letters of a random head.
    const auto model = tiny_model();
    auto objective = objective_of(model, {.advantage = advantage, .kl_coef = 0.001, .updates = 2});
    std::vector<double> scores;
    TrainContext context{.rng = Rng(0, "train")};
    context.metrics = [&](int64_t, const auto& metrics) { scores.push_back(metrics.at("score")); };
    train(*objective, quick(60), context);
    const auto mean = [&](size_t from) {
      return std::accumulate(scores.begin() + static_cast<ptrdiff_t>(from),
                             scores.begin() + static_cast<ptrdiff_t>(from) + 10, 0.0) /
             10;
    };
    EXPECT_GT(mean(50), mean(0) + 0.1) << advantage;
  }
}

// Interrupted between two updates that learn from the same answers: they come from the checkpoint.
TEST(PolicyGradient, ContinuesBitForBit) {
  const PolicyGradientOptions options{.kl_in = "reward", .updates = 3};
  const auto whole = lora_model();
  auto objective = objective_of(whole, options);
  TrainContext alone{.rng = Rng(0, "train")};
  train(*objective, quick(7), alone);

  TestFolder folder("policy-gradient");
  const auto first = lora_model();
  auto interrupted = objective_of(first, options);
  int64_t done = 0;
  TrainContext stop{.rng = Rng(0, "train"), .folder = folder.path()};
  stop.metrics = [&](int64_t step, const auto&) { done = step; };
  stop.interrupt = [&] { return done >= 3; };
  EXPECT_TRUE(train(*interrupted, quick(7), stop).interrupted);
  const auto second = lora_model();
  auto resumed = objective_of(second, options);
  TrainContext go_on{.rng = Rng(0, "train"), .folder = folder.path()};
  EXPECT_GT(train(*resumed, quick(7), go_on).resumed_from, 0);
  const auto a = weights(whole), b = weights(second);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i], b[i])) << i;
}

// Two updates on the same answers, then on new ones: whose share a prompt is changes neither answer nor
// score.
TEST(PolicyGradient, AnswersDoNotDependOnTheNumberOfRanks) {
  const PolicyGradientOptions options{.updates = 2};
  const auto log_into = [](TrainContext& context, std::vector<double>& scores) {
    context.metrics = [&scores](int64_t, const auto& metrics) { scores.push_back(metrics.at("score")); };
  };
  const auto whole = lora_model();
  auto objective = objective_of(whole, options);
  std::vector<double> scores;
  TrainContext alone{.rng = Rng(0, "train")};
  log_into(alone, scores);
  train(*objective, quick(4), alone);

  constexpr int64_t world = 2;
  ThreadSum sum(world);
  std::vector<LanguageModel> models;
  for (int64_t rank = 0; rank < world; ++rank) models.push_back(lora_model());
  std::vector<double> scores_of_ranks;
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < world; ++rank)
    threads.emplace_back([&, rank] {
      auto part = objective_of(models[static_cast<size_t>(rank)], options);
      TrainContext context{.rng = Rng(0, "train")};
      context.collective = sum.collective(rank);
      log_into(context, scores_of_ranks);
      train(*part, quick(4), context);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_GT(std::abs(scores.at(0) - scores.at(2)), 1e-6);  // other prompts, other answers
  ASSERT_EQ(scores_of_ranks.size(), scores.size());        // the first rank reports
  for (size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(scores_of_ranks[i], scores[i], 1e-6) << i;
  for (const auto& model : models) {
    const auto a = weights(whole), b = weights(model);
    for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::allclose(a[i], b[i], 1e-3, 1e-4)) << i;
  }
}

TEST(PolicyGradient, AnswersThatNobodyCanJudgeTeachNothingAndAreCounted) {
  const auto model = lora_model();
  std::vector<Json> extra(3, Json{{"bad", true}});
  auto objective = objective_of(model, {}, extra);
  std::map<std::string, double> seen;
  TrainContext context{.rng = Rng(0, "train")};
  context.metrics = [&](int64_t, const auto& metrics) { seen = metrics; };
  train(*objective, quick(1), context);
  EXPECT_EQ(seen.at("unjudged"), 1);
  EXPECT_EQ(seen.at("signal"), 0);
  EXPECT_EQ(seen.count("score"), 0u);
  EXPECT_EQ(objective->counts().at("unjudged"), 12);
  EXPECT_FALSE(objective->judged());
  EXPECT_EQ(objective->unjudged().at("cannot be judged"), 12);
}

TEST(PolicyGradient, RefusesWhatMakesNoSense) {
  const auto model = lora_model();
  const auto refusal = [&](SamplingOptions sampling, PolicyGradientOptions options = {}) -> std::string {
    try {
      PolicyGradientObjective(model, {text_prompt("x")}, {Json::object()}, std::make_unique<HalfJudge>(),
                              sampling, options, Rng(0, "r"));
    } catch (const UserError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal({.temperature = 0, .per_prompt = 2}), ::testing::HasSubstr("temperature must be > 0"));
  EXPECT_THAT(refusal({.top_k = 5, .per_prompt = 2}), ::testing::HasSubstr("top_k"));
  EXPECT_THAT(refusal({.per_prompt = 1}), ::testing::HasSubstr("per_prompt must be at least 2"));
  EXPECT_EQ(refusal({.per_prompt = 1}, {.advantage = "none"}), "");
}

}  // namespace
}  // namespace plaudit
