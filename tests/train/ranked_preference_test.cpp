#include "plaudit/train/ranked_preference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/train/preference.h"
#include "tests/support/tiny_model.h"
#include "tests/train/folder.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

RankedList list_of(std::string prompt, std::vector<std::string> completions,
                   std::vector<double> scores = {}) {
  return {text_prompt(std::move(prompt)), std::move(completions), std::move(scores)};
}

std::vector<RankedList> lists() {
  return {list_of("first", {"bad", "good", "middle"}, {0, 2, 1}), list_of("second", {"best", "worst"}),
          list_of("third one", {"tied", "also tied", "good", "bad"}, {1, 1, 3, 0})};
}

double loss_of(Objective& objective, const std::vector<int64_t>& examples) {
  const auto loss = objective.loss(examples);
  return loss.loss_sum.item<double>() / loss.weight;
}

TrainOptions quick() {
  TrainOptions options;
  options.max_steps = 20;
  options.batch = 2;
  options.learning_rate = 3e-3;
  return options;
}

TEST(RankedPreference, TwoAnswersMakeItDpo) {
  const auto model = tiny_model();
  RankedPreferenceObjective ranked(model, {list_of("first", {"good", "bad"})}, {});
  PreferenceObjective paired(model, {text_pair("first", "good", "bad")}, {});
  TrainContext context{.rng = Rng(0, "train")};
  ASSERT_TRUE(ranked.prepare({}, context) && paired.prepare({}, context));
  train(paired, quick(), context);
  EXPECT_NEAR(loss_of(ranked, {0}), loss_of(paired, {0}), 1e-5);
  EXPECT_LT(loss_of(ranked, {0}), 0.5);
}

TEST(RankedPreference, ScoresOrderTheAnswersAndTiesAreLeftOut) {
  RankedPreferenceObjective objective(tiny_model(), lists(), {});
  EXPECT_EQ(objective.counts().at("tied_answers"), 1);
  const auto text = objective.show(0);
  EXPECT_LT(text.find("good"), text.find("middle"));
  EXPECT_LT(text.find("middle"), text.find("bad"));
  EXPECT_EQ(objective.show(2).find("also tied"), std::string::npos);
}

TEST(RankedPreference, ListsOfSeveralSizesShareABatch) {
  RankedPreferenceObjective objective(tiny_model(), lists(), {});
  TrainContext context{.rng = Rng(0, "train")};
  ASSERT_TRUE(objective.prepare({}, context));
  // At the start every order is as likely as any other: log K! per list.
  EXPECT_NEAR(loss_of(objective, {0, 1, 2}) * 3, std::log(6) + std::log(2) + std::log(6), 1e-4);
  EXPECT_NEAR(objective.loss({0, 1, 2}).sums.at("kl").sum.item<double>(), 0, 1e-3);
}

TEST(RankedPreference, ARunThatWasStoppedGoesOnBitForBit) {
  const TestFolder folder("ranked-preference");
  const auto whole = tiny_model(), stopped = tiny_model(), resumed = tiny_model();
  TrainContext context{.rng = Rng(0, "train")};
  RankedPreferenceObjective all(whole, lists(), {}), first(stopped, lists(), {}),
      second(resumed, lists(), {});
  train(all, quick(), context);
  EXPECT_EQ(evaluate_objective(all, 1000).at("rewards/accuracy"), 1);
  TrainContext interrupted{.rng = Rng(0, "train"), .folder = folder.path()};
  int64_t steps = 0;
  interrupted.metrics = [&](int64_t step, const auto&) { steps = step; };
  interrupted.interrupt = [&] { return steps >= 7; };
  EXPECT_TRUE(train(first, quick(), interrupted).interrupted);
  TrainContext rest{.rng = Rng(0, "train"), .folder = folder.path()};
  EXPECT_GT(train(second, quick(), rest).resumed_from, 6);
  for (size_t i = 0; i < whole.transformer->trainable().size(); ++i)
    EXPECT_TRUE(
        at::equal(whole.transformer->trainable()[i].tensor, resumed.transformer->trainable()[i].tensor));
}

TEST(RankedPreference, ListsThatTeachNothingAreRefused) {
  const auto refusal = [](const std::vector<RankedList>& data) {
    try {
      RankedPreferenceObjective objective(tiny_model(), data, {});
    } catch (const UserError& error) {
      return message_of(error);
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refusal({}), HasSubstr("there are no lists"));
  EXPECT_THAT(refusal({list_of("a", {"b", "c"}, {1, 1})}), HasSubstr("no list has two answers"));
  EXPECT_THAT(refusal({list_of("a", {"b", "b"})}), HasSubstr("no list has two answers"));
}

}  // namespace
}  // namespace plaudit
