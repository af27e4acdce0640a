#include "plaudit/feedback/pair_labels.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plaudit/feedback/length_judge.h"
#include "tests/data/expect_error.h"

namespace plaudit {
namespace {

JudgedAnswers list_of_scores(const std::vector<double>& scores) {
  JudgedAnswers list{{"Hi", {}}, {}, {}, {{"id", 1}}};
  for (size_t i = 0; i < scores.size(); ++i) {
    list.completions.push_back("answer " + std::to_string(i));
    list.judgements.push_back({scores[i], ""});
  }
  return list;
}

TEST(JudgeAnswers, OneCallForAllLists) {
  LengthJudge judge(1);
  std::vector<JudgedAnswers> lists{
      {{"p", {}}, {"a", "a b"}, {}}, {{"q", {}}, {}, {}}, {{"r", {}}, {"a b c"}, {}}};
  judge_answers(judge, lists);
  EXPECT_EQ(lists[0].judgements.size(), 2U);
  EXPECT_EQ(lists[0].judgements[1].score, -1);
  EXPECT_TRUE(lists[1].judgements.empty());
  EXPECT_EQ(lists[2].judgements[0].score, -2);
}

TEST(LabelPairs, BestAgainstWorst) {
  const auto result = label_pairs({list_of_scores({1, 3, 2})}, {}, Rng(0, "noise"));
  ASSERT_EQ(result.pairs.size(), 1U);
  EXPECT_EQ(result.pairs[0].chosen, "answer 1");
  EXPECT_EQ(result.pairs[0].rejected, "answer 0");
  EXPECT_EQ(result.pairs[0].extra, (Json{{"id", 1}, {"chosen_score", 3.0}, {"rejected_score", 1.0}}));
}

TEST(LabelPairs, WinRatesCountTheAnswersThatAreBeaten) {
  PairLabelOptions options{.pairs = "all", .scores = "win-rate", .soft_labels = 2};
  const auto result = label_pairs({list_of_scores({10, -5, 10, 0})}, options, Rng(0, "noise"));
  ASSERT_EQ(result.lists.size(), 1U);
  const auto& rates = result.lists[0].scores;
  EXPECT_DOUBLE_EQ(rates[0], 2.5 / 3);
  EXPECT_DOUBLE_EQ(rates[1], 0);
  EXPECT_DOUBLE_EQ(rates[3], 1.0 / 3);
  EXPECT_EQ(result.report.ties, 1);
  EXPECT_EQ(result.pairs[0].chosen, "answer 0");
  EXPECT_NEAR(result.pairs[0].label, 1 / (1 + std::exp(-2 * 2.5 / 3)), 1e-12);
}

TEST(LabelPairs, AMarginDependsOnWhoWroteTheBetterAnswer) {
  PairLabelOptions options{.pairs = "margin"};
  options.margin = {.min_positive = 5, .margin_teacher = 2, .margin_student = 1};
  auto list = list_of_scores({6, 5, 4.5, 3});
  list.writers = {"reference", "policy", "policy", "policy"};
  const auto result = label_pairs({list, list_of_scores({1, 2})}, options, Rng(0, "noise"));
  ASSERT_EQ(result.pairs.size(), 2U);  // 6 over 3 by the teacher, 5 over 3 by the policy
  EXPECT_EQ(result.pairs[0].chosen, "answer 0");
  EXPECT_EQ(result.pairs[0].extra["chosen_writer"], "reference");
  EXPECT_EQ(result.pairs[1].chosen, "answer 1");
  EXPECT_EQ(result.pairs[1].rejected, "answer 3");
  EXPECT_EQ(result.report.unclear, 1);
}

TEST(LabelPairs, AnAnswerThatRepeatsItselfLosesWhateverItScores) {
  PairLabelOptions options{.pairs = "margin", .max_repetition = 0.5};
  options.margin = {.min_positive = 5, .margin_teacher = 2, .margin_student = 1};
  auto list = list_of_scores({9, 6, 5.5, 1});
  list.completions[0] = "so very good and so very good and so very good and so very good and so very good";
  const auto result = label_pairs({list}, options, Rng(0, "noise"));
  EXPECT_EQ(result.report.repetitive, 1);
  ASSERT_EQ(result.pairs.size(), 4U);  // 6 and 5.5 over the best-scored one and over 1
  for (const auto& pair : result.pairs) EXPECT_NE(pair.chosen, list.completions[0]);
  EXPECT_EQ(result.pairs[0].rejected, list.completions[0]);
  EXPECT_EQ(result.pairs[0].extra["rejected_score"], 9) << "what the judge said is kept";
  options.max_repetition.reset();
  EXPECT_EQ(label_pairs({list}, options, Rng(0, "noise")).pairs[0].chosen, list.completions[0]);
  options.max_repetition = 1.5;
  expect_error(ErrorKind::value, {"max_repetition", "1.5"},
               [&] { label_pairs({list}, options, Rng(0, "noise")); });
}

TEST(LabelPairs, WritersFollowTheirAnswers) {
  auto list = list_of_scores({1, 2, 3});
  list.completions[1] = " ";
  list.writers = {"policy", "policy", "reference"};
  PairLabelOptions turned{.noise = 0.999999};
  const auto plain = label_pairs({list}, {}, Rng(0, "noise")),
             noisy = label_pairs({list}, turned, Rng(0, "noise"));
  EXPECT_EQ(plain.pairs[0].extra["chosen_writer"], "reference");
  EXPECT_EQ(noisy.pairs[0].extra["chosen_writer"], "policy");
  list.writers.pop_back();
  expect_error(ErrorKind::shape, {"2 writers for 3"}, [&] { label_pairs({list}, {}, Rng(0, "noise")); });
}

TEST(LabelPairs, TiesAndUnusableAnswersAreCounted) {
  auto failed = list_of_scores({1, 2, 3});
  failed.judgements[2] = {NAN, "the judge timed out"};
  auto odd = list_of_scores({1, 2, 3, 4});
  odd.completions[1] = " \n";
  odd.completions[3] = "answer 0 ";
  const auto result =
      label_pairs({list_of_scores({1, 1}), failed, odd, list_of_scores({5})}, {}, Rng(0, "noise"));
  const auto& report = result.report;
  EXPECT_EQ(report.prompts, 4);
  EXPECT_EQ(report.answers, 2 + 3 + 4 + 1);
  EXPECT_EQ(report.failed, 1);
  EXPECT_EQ(report.empty, 1);
  EXPECT_EQ(report.repeated, 1);
  EXPECT_EQ(report.skipped, 1);
  EXPECT_EQ(report.ties, 1);
  EXPECT_EQ(report.pairs, 2);
  EXPECT_EQ(result.pairs[0].chosen, "answer 1");  // not the answer that could not be judged
  EXPECT_EQ(json_of(report)["skipped"], 1);
}

TEST(LabelPairs, NoiseTurnsAboutItsShareRound) {
  const std::vector<JudgedAnswers> lists(2000, list_of_scores({1, 2}));
  const auto result = label_pairs(lists, {"best-worst", 0.25}, Rng(3, "noise"));
  int64_t wrong = 0;
  for (const auto& pair : result.pairs) {
    const bool flipped = pair.chosen == "answer 0";
    EXPECT_EQ(pair.extra["flipped"], flipped);
    EXPECT_EQ(pair.extra["chosen_score"].get<double>() < pair.extra["rejected_score"].get<double>(), flipped);
    wrong += flipped ? 1 : 0;
  }
  EXPECT_EQ(wrong, result.report.flipped);
  // Four standard deviations of a binomial draw.
  EXPECT_NEAR(static_cast<double>(wrong) / 2000, 0.25, 4 * std::sqrt(0.25 * 0.75 / 2000));
}

TEST(LabelPairs, NoiseIsRepeatableAndOwnToEachPrompt) {
  std::vector<JudgedAnswers> lists(50, list_of_scores({1, 2, 3}));
  const PairLabelOptions options{"all", 0.5};
  const auto flips = [&] {
    std::vector<bool> out;
    for (const auto& pair : label_pairs(lists, options, Rng(3, "noise")).pairs)
      out.push_back(pair.extra["flipped"].get<bool>());
    return out;
  };
  const auto before = flips();
  EXPECT_EQ(flips(), before);
  lists[0] = list_of_scores({1, 1});  // gives no pair now
  const auto after = flips();
  EXPECT_TRUE(std::equal(after.begin(), after.end(), before.begin() + 3));
}

TEST(LabelPairs, WithoutNoiseNothingIsDrawnOrMarked) {
  const auto pair = label_pairs({list_of_scores({1, 2})}, {}, Rng(0, "a")).pairs.at(0);
  EXPECT_FALSE(pair.extra.contains("flipped"));
}

TEST(LabelPairs, Errors) {
  const Rng rng(0, "noise");
  expect_error(ErrorKind::empty, {"lists"}, [&] { label_pairs({}, {}, rng); });
  expect_error(ErrorKind::value, {"noise"}, [&] { label_pairs({list_of_scores({1, 2})}, {"all", 1}, rng); });
  expect_error(ErrorKind::value, {"pairs"}, [&] { label_pairs({list_of_scores({1, 2})}, {"some", 0}, rng); });
  expect_error(ErrorKind::nan, {"lists[0]"}, [&] { label_pairs({list_of_scores({1, NAN})}, {}, rng); });
  auto list = list_of_scores({1, 2});
  list.judgements.pop_back();
  expect_error(ErrorKind::shape, {"1 judgements for 2"}, [&] { label_pairs({list}, {}, rng); });
}

}  // namespace
}  // namespace plaudit
