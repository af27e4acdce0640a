#include "plaudit/feedback/verifier_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/feedback/constraints.h"

namespace plaudit {
namespace {

Judgement verdict(const std::string& text, const Json& extra) {
  return VerifierJudge().judge({{{"question", {}}, text, extra}})[0];
}

TEST(VerifierJudge, ChecksByTheRuleOfTheRecord) {
  EXPECT_EQ(verdict("It is 1,234.", {{"verifier", "gsm8k"}, {"ground_truth", "1234"}}).score, 1);
  EXPECT_EQ(verdict("It is 5.", {{"dataset", "gsm8k"}, {"ground_truth", 6}}).score, 0);
  EXPECT_EQ(verdict("\\boxed{\\frac12}", {{"verifier", "math"}, {"ground_truth", "1/2"}}).score, 1);
  EXPECT_EQ(verdict(" Paris.\n", {{"verifier", "exact"}, {"ground_truth", "paris"}}).score, 1);
  const Json two = {{{"name", "lowercase"}}, {{"name", "no_commas"}}};
  EXPECT_EQ(verdict("one, two", {{"verifier", "constraint"}, {"ground_truth", two}}).score, 0.5);
}

TEST(VerifierJudge, ARecordThatCannotBeCheckedIsNoZero) {
  for (const auto& [extra, why] : std::vector<std::pair<Json, std::string>>{
           {Json::object(), "verifier: is not named"},
           {{{"verifier", "gsm8k"}}, "ground_truth: is missing"},
           {{{"verifier", "gsm8"}, {"ground_truth", "1"}}, "'gsm8' is not known"},
           {{{"verifier", "gsm8k"}, {"ground_truth", Json::array()}}, "must be a text"},
           {{{"verifier", "gsm8k"}, {"ground_truth", ""}}, "is empty"},
           {{{"verifier", "gsm8k"}, {"ground_truth", "1,000"}}, "without commas, got '1,000'"},
           {{{"verifier", "constraint"}, {"ground_truth", {{"name", "lower"}}}}, "lower"}}) {
    const auto judgement = verdict("text", extra);
    EXPECT_THAT(judgement.error, ::testing::HasSubstr(why));
    EXPECT_EQ(VerifierJudge().unusable(extra), "verifier: " + judgement.error);
  }
}

// Evaluations rely on it: what is wrong with a record shows without an answer.
TEST(VerifierJudge, ARecordIsOfNoUseWhateverTheAnswer) {
  for (const auto& name : constraint_names()) {
    const Json record = {{"verifier", "constraint"}, {"ground_truth", {{"name", name}}}};
    const auto why = VerifierJudge().unusable(record);
    for (const std::string text :
         {"", "a * * * b", "one\n\ntwo ******", "[x] *y* <<z>>, \"q\"", "* P.S. A"}) {
      const auto error = verdict(text, record).error;
      EXPECT_EQ(why, error.empty() ? "" : "verifier: " + error) << name << " on " << text;
    }
  }
  EXPECT_EQ(VerifierJudge().unusable({{"verifier", "gsm8k"}, {"ground_truth", "2"}}), "");
}

}  // namespace
}  // namespace plaudit
