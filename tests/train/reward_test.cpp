#include "plaudit/train/reward.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/objective/preference_bradley_terry.h"
#include "tests/support/tiny_model.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<RewardModel> model(bool trained, const RewardModelOptions& options = {}) {
  auto backbone = tiny_model();
  backbone.transformer->set_trainable(trained);
  return std::make_shared<RewardModel>(backbone, options, 0);
}

std::vector<PreferencePair> pairs() {
  std::vector<PreferencePair> out;
  for (const char* prompt : {"a", "bcd", "the third", "4"})
    out.push_back(text_pair(prompt, "good answer", "bad"));
  out.push_back(text_pair("5", "good", "not bad at all"));
  return out;
}

std::string refusal(const std::vector<PreferencePair>& data, const RewardObjectiveOptions& options = {}) {
  try {
    RewardObjective objective(model(true), data, options);
  } catch (const UserError& error) {
    return message_of(error);
  }
  return "accepted";
}

TrainOptions quick(double rate, int64_t steps) {
  TrainOptions options;
  options.max_steps = steps;
  options.batch = 5;
  options.learning_rate = rate;
  return options;
}

double mean_loss(RewardObjective& objective, const std::vector<int64_t>& examples) {
  const auto loss = objective.loss(examples);
  return loss.loss_sum.item<double>() / loss.weight;
}

std::vector<double> scores(const RewardModel& reward, const PreferencePair& pair) {
  std::vector<double> out;
  for (const auto& judgement : reward.score({{pair.prompt, pair.chosen}, {pair.prompt, pair.rejected}}))
    out.push_back(judgement.score);
  return out;
}

TEST(Reward, LearnsFromPairsInAllModes) {
  const auto full = model(true), frozen = model(false), adapted = model(false);
  adapted->backbone().transformer->add_lora({.rank = 4, .alpha = 8}, 0);
  const std::vector<std::pair<std::shared_ptr<RewardModel>, double>> modes = {
      {full, 1e-3}, {frozen, 5e-2}, {adapted, 1e-2}};
  const std::vector<BackboneKind> kinds = {BackboneKind::full, BackboneKind::base, BackboneKind::adapter};
  for (size_t i = 0; i < modes.size(); ++i) {
    RewardObjective objective(modes[i].first, pairs());
    EXPECT_EQ(objective.backbone_kind(), kinds[i]);
    TrainContext context{.rng = Rng(0, "train")};
    train(objective, quick(modes[i].second, 60), context);
    const auto metrics = evaluate_objective(objective, 1000);
    EXPECT_EQ(metrics.at("accuracy"), 1) << i;
    EXPECT_LT(metrics.at("loss"), 0.4) << i;
    const auto both = scores(*modes[i].first, pairs()[4]);
    EXPECT_GT(both[0], both[1]) << i;
  }
}

TEST(Reward, CachedFeaturesGiveTheSameLossAndHeadGradient) {
  const auto direct = model(true), cached = model(false);
  RewardObjective a(direct, pairs()), b(cached, pairs());
  TrainContext context{.rng = Rng(0, "train")};
  ASSERT_TRUE(b.prepare({}, context));
  EXPECT_EQ(b.tokens(0), 2);
  const auto loss_a = a.loss({2, 0, 4}), loss_b = b.loss({2, 0, 4});
  EXPECT_NEAR(loss_a.loss_sum.item<double>(), loss_b.loss_sum.item<double>(), 1e-5);
  loss_a.loss_sum.backward();
  loss_b.loss_sum.backward();
  EXPECT_LT((direct->head()[0].tensor.grad() - cached->head()[0].tensor.grad()).abs().max().item<double>(),
            1e-5);
  EXPECT_EQ(b.parameters().size(), 1U);
}

TEST(Reward, LossIsBradleyTerryOnTheScores) {
  const auto reward = model(true);
  auto data = pairs();
  for (auto& pair : data) pair.margin = 0.3;
  data[1].weight = 2;
  RewardObjective objective(reward, data, {.label_smoothing = 0.1, .center_coef = 0.01, .use_margins = true});
  const auto first = scores(*reward, data[0]), second = scores(*reward, data[1]);
  const auto expected = bradley_terry_loss(at::tensor({first[0], second[0]}, at::kDouble),
                                           at::tensor({first[1], second[1]}, at::kDouble),
                                           {.margin = at::full({2}, 0.3, at::kDouble),
                                            .label_smoothing = at::full({2}, 0.1, at::kDouble),
                                            .weight = at::tensor({1.0, 2.0}, at::kDouble),
                                            .center_coef = 0.01});
  EXPECT_NEAR(mean_loss(objective, {0, 1}), expected.loss.item<double>(), 1e-5);
}

TEST(Reward, ALabelIsATargetProbability) {
  auto data = pairs();
  data[0].label = 0;
  const auto reward = model(true);
  RewardObjective objective(reward, data);
  std::swap(data[0].chosen, data[0].rejected);
  data[0].label = 1;
  RewardObjective turned(reward, data);
  EXPECT_NEAR(mean_loss(objective, {0}), mean_loss(turned, {0}), 1e-6);
  EXPECT_NEAR(objective.loss({0}).sums.at("accuracy").sum.item<double>(),
              turned.loss({0}).sums.at("accuracy").sum.item<double>(), 1e-6);
}

TEST(Reward, RankedListsCompareAllAnswersWithDifferentScores) {
  const auto reward = model(true);
  const std::vector<RankedList> lists = {{text_prompt("p"), {"one", "two", "three"}, {1, 3, 1}},
                                         {text_prompt("q"), {"best", "worst"}, {}},
                                         {text_prompt("r"), {"x", "y"}, {2, 2}}};
  RewardObjective objective(reward, lists);
  EXPECT_EQ(objective.size(), 2);
  EXPECT_EQ(objective.counts().at("tied"), 1);
  const std::vector<PreferencePair> same = {text_pair("p", "two", "one"), text_pair("p", "two", "three")};
  RewardObjective pair_objective(reward, same);
  EXPECT_NEAR(mean_loss(objective, {0}), mean_loss(pair_objective, {0, 1}), 1e-5);
  EXPECT_DOUBLE_EQ(objective.loss({0, 1}).weight, 2);
}

TEST(Reward, BadDataIsRefused) {
  EXPECT_THAT(refusal({}), HasSubstr("there are no examples"));
  EXPECT_THAT(refusal({text_pair("a", "same", "same")}), HasSubstr("every example compares equal answers"));
  EXPECT_THAT(refusal(pairs(), {.use_margins = true}), HasSubstr("pair 0 has no margin"));
  auto data = pairs();
  for (auto& pair : data) pair.label = 0.5;
  EXPECT_THAT(refusal(data), HasSubstr("every comparison has label 0.5"));
  data[3].label = -1;
  EXPECT_THAT(refusal(data), HasSubstr("label of pair 3 must be in [0, 1], got -1"));
}

}  // namespace
}  // namespace plaudit
