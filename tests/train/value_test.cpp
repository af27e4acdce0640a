#include "plaudit/train/value.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/train/offline.h"
#include "tests/support/tiny_model.h"
#include "tests/train/folder.h"

namespace plaudit {
namespace {

// Answers of two bytes; the reward is whether the second is 'a'.
std::vector<ScoredExample> examples() {
  std::vector<ScoredExample> out;
  for (int64_t i = 0; i < 8; ++i) {
    ScoredExample one{{{65 + i, 66}, {}}, {}};
    for (const int64_t last : {int64_t{'a'}, int64_t{'b'}, int64_t{'c'}, int64_t{'a'}}) {
      one.tokens.answers.push_back({100 + i, last});
      one.scores.push_back({last == 'a' ? 1.0 : 0.0, static_cast<double>(i)});
    }
    out.push_back(std::move(one));
  }
  return out;
}

TrainOptions quick(int64_t steps) {
  TrainOptions options;
  options.max_steps = steps;
  options.batch = 16;
  options.learning_rate = 1e-2;
  options.checkpoint_every = 5;
  return options;
}

TEST(ValueTraining, LearnsTheRewardBehindEachToken) {
  const auto model = tiny_model();
  ValueModel values(model, {"a", "prompt"}, 16, 0);
  ValueObjective objective(model, values, examples(), {.lam = 1});
  TrainContext context{.rng = Rng(0, "train")};
  const auto result = train(objective, quick(300), context);
  EXPECT_LT(result.metrics.at("end_error"), 0.1);
  // Before the first token nothing is known of 'a', but the prompt tells the second reward: half the
  // variance.
  EXPECT_NEAR(result.metrics.at("prompt_error"), 0.5, 0.2);
  const auto list = examples();
  const auto expected = prompt_values(values, model, {&list[0].tokens, &list[7].tokens});
  EXPECT_NEAR(expected[0][0].item<double>(), 0.5, 0.2);
  EXPECT_LT(expected[0][1].item<double>(), expected[1][1].item<double>() - 3);
}

TEST(ValueTraining, StatesAreThoseOfEveryLayoutOfTheBatch) {
  const auto model = tiny_model();
  const TokenizedAnswers both{{65, 66, 67}, {{70, 71}, {72}}}, one{{65, 66, 67}, {{70, 71}}};
  const auto a = value_states(model, {&both}, false, 4096), b = value_states(model, {&one}, false, 4096);
  EXPECT_EQ(a.lengths, (std::vector<int64_t>{3, 2}));
  EXPECT_TRUE(at::equal(a.tokens, at::tensor({67, 70, 71, 67, 72}, at::kLong)));
  EXPECT_TRUE(at::allclose(a.hidden.slice(0, 0, 3), b.hidden, 1e-5, 1e-5));
}

TEST(ValueTraining, EqualScoresAreRefused) {
  const auto model = tiny_model();
  auto data = examples();
  for (auto& example : data)
    for (auto& score : example.scores) score = {1.0, 2.0};
  ValueModel values(model, {"a", "b"}, 4, 0);
  EXPECT_THROW(ValueObjective(model, values, data, {}), UserError);
}

TEST(ValueTraining, AFolderGivesTheSameValuesAndAnotherModelIsRefused) {
  const auto model = tiny_model();
  ValueModel values(model, {"a", "prompt"}, 16, 0);
  ValueObjective objective(model, values, examples(), {});
  TestFolder folder("value-training");
  TrainContext context{.rng = Rng(0, "train"), .folder = folder.path() + "/checkpoints"};
  train(objective, quick(10), context);
  values.save(folder.path() + "/values");
  const auto loaded = ValueModel::load(folder.path() + "/values");
  const auto list = examples();
  EXPECT_TRUE(at::equal(prompt_values(values, model, {&list[0].tokens}),
                        prompt_values(loaded, model, {&list[0].tokens})));
  loaded.check_policy(model);
  EXPECT_THROW(loaded.check_policy(tiny_model(1)), UserError);
  const auto adapted = tiny_model();
  adapted.transformer->add_lora({.rank = 2, .alpha = 4}, 0);
  loaded.check_policy(adapted);  // an adapter that changes nothing yet
  const at::NoGradGuard no_grad;
  for (const auto& parameter : adapted.transformer->trainable()) parameter.tensor.add_(0.1);
  EXPECT_THROW(loaded.check_policy(adapted), UserError);
}

TEST(Offline, RaisesAnswersWithAnAdvantageAlone) {
  for (const auto* variant : {"ref_free", "alol", "seq", "kl", "wbc", "r_lol", "r_gold"}) {
    auto model = tiny_model();
    model.transformer->add_lora({.rank = 4, .alpha = 8}, 0);
    std::vector<AdvantageExample> data;
    for (int64_t i = 0; i < 4; ++i) {
      data.push_back({{{65 + i, 66}, {{'a', 'b'}}}, 1.0});
      data.push_back({{{65 + i, 66}, {{'x', 'y'}}}, -1.0});
    }
    const TokenizedAnswers pair{{65, 66}, {{'a', 'b'}, {'x', 'y'}}};
    const auto gap = [&] {
      const auto logps = answer_logps(*model.transformer, pack_for_logps(std::vector{&pair}));
      return (logps[0] - logps[1]).item<double>();
    };
    const double before = gap();
    OfflineObjective objective(model, data, 4, Rng(0, "draws"), {.variant = variant});
    EXPECT_EQ(objective.size(), 16);
    EXPECT_EQ(objective.counts().at("no_advantage"), 4);
    TrainContext context{.rng = Rng(0, "train")};
    train(objective, quick(20), context);
    EXPECT_GT(gap(), before + 0.5) << variant;
  }
}

TEST(Offline, BaselinesAreTheFunctionsOfTheirNamesAndNllKeepsEveryAnswer) {
  const TokenizedAnswers one{{65, 66}, {{'a', 'b'}}};
  const auto loss_of = [&](const std::string& variant, double reward) {
    OfflineObjective objective(tiny_model(), {{one, reward}}, 1, Rng(0, "draws"), {.variant = variant});
    TrainContext context{.rng = Rng(0, "train")};
    EXPECT_TRUE(objective.prepare({}, context));
    return objective.loss({0}).loss_sum.item<double>();
  };
  const auto [logps, mask] =
      padded_answer_logps(*tiny_model().transformer, pack_for_logps(std::vector{&one}));
  const auto reward = at::full({1}, 0.5);
  const double nll = -logps.sum().item<double>();
  EXPECT_NEAR(loss_of("nll", -3), nll, 1e-4);
  EXPECT_NEAR(loss_of("wbc", 0.5), weighted_nll_loss(logps, mask, reward).loss.item<double>(), 1e-4);
  EXPECT_NEAR(loss_of("r_gold", 0.5), gold_loss(logps, mask, reward).loss.item<double>(), 1e-4);
  EXPECT_NEAR(loss_of("r_lol", 0.5), 0.5 * nll, 1e-4);  // at the start every ratio is 1
  EXPECT_THROW(loss_of("wbc", -3), UserError);
  EXPECT_THROW(read_options<OfflineOptions>(YAML::Load("{variant: gold}"), {}), UserError);
}

TEST(Offline, NoAdvantageAtAllIsRefused) {
  EXPECT_THROW(OfflineObjective(tiny_model(), {{{{65, 66}, {{70}}}, -1.0}}, 1, Rng(0, "d"), {}), UserError);
}

}  // namespace
}  // namespace plaudit
