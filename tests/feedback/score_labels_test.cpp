#include "plaudit/feedback/score_labels.h"

#include "plaudit/feedback/guess.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(ScoreLabels, SwappingTheSidesSwapsTheLabel) {
  for_draws(200, [] {
    const auto a = normal({6}), b = normal({6});
    const auto label = pair_labels(a, b, 0.3), other = pair_labels(b, a, 0.3);
    EXPECT_TRUE(label.eq(-1).equal(other.eq(-1)));
    EXPECT_TRUE(label.eq(1).equal(other.eq(0)));
  });
}

TEST(ScoreLabels, LogisticLabelsHaveTheirProbability) {
  at::manual_seed(0);
  const auto d = at::full({20000}, 0.4, at::kDouble);
  const auto l = logistic_label(d, uniform({20000}, 1e-9, 1 - 1e-9), 2);
  EXPECT_NEAR(l.label.to(at::kDouble).mean().item<double>(), l.probability[0].item<double>(), 0.01);
}

TEST(ScoreLabels, ForesightIsAWindowOfTheSum) {
  for_draws(100, [] {
    const auto r = normal({2, 5});
    const auto start = at::randint(0, 5, {2}, at::kLong);
    const auto all = foresight_scores(r, start, 100);
    for (int64_t n = 0; n < 2; ++n) expect_close(all[n], r[n].slice(0, start[n].item<int64_t>()).sum());
  });
}

TEST(ScoreLabels, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "margin", [] { pair_labels(at::ones({1}), at::ones({1}), -1); });
  expect_error(ErrorKind::empty, "label", [] {
    positive_negative(at::ones({1, 1}), at::ones({1, 1}), -at::ones({1}, at::kLong));
  });
  expect_error(ErrorKind::value, "uniform", [] { logistic_label(at::ones({1}), at::ones({1})); });
  expect_error(ErrorKind::value, "start", [] {
    foresight_scores(at::ones({1, 2}), at::full({1}, 2, at::kLong));
  });
}

TEST(LastWordGuess, TakesTheLastWordWhateverFollowsIt) {
  EXPECT_TRUE(last_word_guess("Is it a DOG?! 12", {"cat", "Dog"}));
  EXPECT_FALSE(last_word_guess("Is it a dogs?", {"dog"}));
  EXPECT_FALSE(last_word_guess("?? 12", {"dog"}));
  EXPECT_FALSE(last_word_guess("", {"dog"}));
  EXPECT_TRUE(last_word_guess("dog", {"dog"}));
  EXPECT_TRUE(last_word_guess("\xc3\x89t\xc3\xa9", {"\xc3\xa9t\xc3\xa9"}));
  EXPECT_FALSE(last_word_guess("\xff\xfe", {"dog"}));
}

}  // namespace
}  // namespace plaudit
