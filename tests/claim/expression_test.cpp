#include "plaudit/claim/expression.h"

#include <cmath>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;

// Two seeds; a list per seed where the metric ends in '*'.
ClaimValue lookup(const MetricReference& reference) {
  if (reference.metric == "reward@*") return {false, {{0.5, 0.9, 0.95}, {0.6, 0.8, 0.85}}};
  if (reference.metric == "kl@*") return {false, {{1, 2, 4}, {1, 2, 3}}};
  if (reference.variant == "dpo") return {false, {{0.8}, {0.6}}};
  return {false, {{0.4}, {0.5}}};
}

std::vector<double> value(const std::string& text) {
  return ClaimFormula(text).evaluate(lookup).elements();
}

TEST(ClaimFormula, ComputesPerSeed) {
  EXPECT_THAT(value("{dpo reward} - {sft reward}"), ElementsAre(0.4, ::testing::DoubleNear(0.1, 1e-12)));
  EXPECT_THAT(value("2 * {dpo reward} / (1 + 3)"), ElementsAre(0.4, 0.3));
  EXPECT_THAT(value("-{sft reward}"), ElementsAre(-0.4, -0.5));
  EXPECT_THAT(value("abs({sft reward} - {dpo reward})"), ElementsAre(0.4, ::testing::DoubleNear(0.1, 1e-12)));
}

TEST(ClaimFormula, ReducesOverSeedsAndLists) {
  EXPECT_THAT(value("mean({dpo reward})"), ElementsAre(0.7));
  EXPECT_THAT(value("sum({a kl@*}) / 13"), ElementsAre(1.0));
  EXPECT_THAT(value("max({a reward@*})"), ElementsAre(0.95));
  EXPECT_THAT(value("mean({a reward@*} >= 0.85)"), ElementsAre(0.5));
  EXPECT_THAT(value("seed_max({a reward@*})"), ElementsAre(0.95, 0.85));
}

TEST(ClaimFormula, ComparesElementByElement) {
  EXPECT_THAT(value("min({dpo reward}, {sft reward}, 0.45)"), ElementsAre(0.4, 0.45));
  EXPECT_THAT(value("{dpo reward} > 0.7"), ElementsAre(1, 0));
  EXPECT_THAT(value("differences({a kl@*})"), ElementsAre(1, 2, 1, 1));
}

TEST(ClaimFormula, BestWithinALimit) {
  EXPECT_THAT(value("best({a reward@*}, {a kl@*}, 3)"), ElementsAre(0.9, 0.85));
  EXPECT_EQ(value("best({a reward@*}, {a kl@*}, 0.5)")[0], -INFINITY);
}

TEST(ClaimFormula, NamesWhatIsWrong) {
  const auto refuse = [](const std::string& text, const std::string& part) {
    expect_error(ErrorKind::value, part, [&] { ClaimFormula formula(text); });
  };
  refuse("men({a b})", "'mean'");
  refuse("{a}", "{variant metric}");
  refuse("{a b", "{variant metric}");
  refuse("(1 + 2", "')' is missing");
  refuse("1 +", "something is missing");
  refuse("1 2", "a formula ends here");
  refuse("best({a b})", "takes 3 arguments");
}

TEST(ClaimFormula, NaNSurvivesExtremes) {
  const auto nan = ClaimFormula("min({a b}, 1)").evaluate([](const auto&) {
    return ClaimValue{false, {{NAN}}};
  });
  EXPECT_TRUE(std::isnan(nan.elements()[0]));
}

}  // namespace
}  // namespace plaudit
