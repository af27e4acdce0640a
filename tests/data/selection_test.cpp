#include "plaudit/data/selection.h"

#include "plaudit/data/contrast_pairs.h"
#include "plaudit/data/text_rules.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(TopK, ComesInDescendingOrderAndNeverReadsInvalidRewards) {
  for_draws(300, [] {
    const int64_t b = integer(1, 3), n = integer(1, 6), k = integer(1, n);
    const auto rewards = at::randint(0, 4, {b, n}, at::kDouble), valid = at::randint(0, 2, {b, n}, at::kLong);
    const auto r = top_k(at::where(valid.ne(0), rewards, NAN), k, valid);
    for (int64_t row = 0; row < b; ++row) {
      const auto usable = std::min(k, valid[row].ne(0).sum().item<int64_t>());
      EXPECT_EQ(r.indices[row].ge(0).sum().item<int64_t>(), usable);
      for (int64_t i = 0; i + 1 < usable; ++i) {
        const double here = r.scores[row][i].item<double>(), next = r.scores[row][i + 1].item<double>();
        EXPECT_GE(here, next);
        if (here == next) EXPECT_LT(r.indices[row][i].item<int64_t>(), r.indices[row][i + 1].item<int64_t>());
      }
    }
  });
  expect_error(ErrorKind::value, "k", [] { top_k(at::zeros({1, 2}), 3); });
  expect_error(ErrorKind::nan, "rewards", [] { top_k(at::zeros({1, 2}) * NAN, 1); });
}

TEST(MarginPairs, LeadByTheMarginOfWhoWroteThePositive) {
  for_draws(200, [] {
    const int64_t n = integer(1, 6);
    const auto scores = at::randint(0, 7, {n}, at::kDouble), teacher = at::randint(0, 2, {n}, at::kLong);
    for (const auto& [i, j] : margin_pairs(scores, teacher)) {
      EXPECT_GE(scores[i].item<double>(), 5);
      EXPECT_GE((scores[i] - scores[j]).item<double>(), teacher[i].item<int64_t>() ? 2 : 1);
    }
    for (const auto& [i, j] : margin_pairs(scores, teacher, {.teacher_positive_only = true}))
      EXPECT_TRUE(teacher[i].item<int64_t>() == 1 && teacher[j].item<int64_t>() == 0);
  });
}

TEST(HistoryMix, DecaysFromTheNewestRound) {
  EXPECT_EQ(history_mix({10, 10, 10}), (std::vector<int64_t>{0, 1, 3}));
  EXPECT_TRUE(history_mix({}).empty());
  expect_error(ErrorKind::value, "decay", [] { history_mix({1}, 0.3, 2); });
}

TEST(NgramRepetition, IsZeroOnlyWithoutARepeat) {
  for_draws(200, [] {
    const int64_t n = integer(1, 4);
    std::vector<int64_t> tokens(static_cast<size_t>(integer(0, 10)));
    for (auto& token : tokens) token = integer(0, 2);
    const double ratio = ngram_repetition(tokens, n);
    EXPECT_GE(ratio, 0);
    EXPECT_LT(ratio, 1);
    if (static_cast<int64_t>(tokens.size()) >= n) {
      const auto row = at::tensor(tokens, at::kLong).view({1, -1});
      expect_close(repetition_penalty_tokens(row, at::ones_like(row), n),
                   at::full({1}, 1 - ratio, at::kDouble));
    }
  });
  expect_error(ErrorKind::value, "n", [] { ngram_repetition({1}, 0); });
}

TEST(TextRules, WordsAreSplitAtUnicodeSpaceAndCaseIsFoldedWhereItShould) {
  EXPECT_EQ(length_incentive({"a\u00A0b\tc", "   "}).words.sum().item<int64_t>(), 3);
  EXPECT_EQ(copy_rate({"\u00C9t\u00E9 HOT"}, {"\u00E9T\u00C9 is hot"})[0].item<double>(), 2.0 / 3);
  EXPECT_EQ(repetition_penalty({"A a A a"}, 1)[0].item<double>(), 0.5);
  expect_error(ErrorKind::shape, "response", [] { copy_rate({"a"}, {"a", "b"}); });
  expect_error(ErrorKind::empty, "text", [] { repetition_penalty({}); });
}

TEST(SelectContrastPairs, PartnersLieInTheRange) {
  for_draws(200, [] {
    const int64_t n = integer(1, 6);
    const auto s = uniform({n, n}), partner = select_contrast_pairs(s, {.low = 0.3, .high = 0.7});
    for (int64_t i = 0; i < n; ++i) {
      const auto j = partner[i].item<int64_t>();
      if (j < 0) continue;
      EXPECT_NE(i, j);
      EXPECT_TRUE(s[i][j].item<double>() >= 0.3 && s[i][j].item<double>() <= 0.7);
    }
  });
}

TEST(ConvexHull, DoesNotDependOnShiftScaleOrCopies) {
  for_draws(200, [] {
    const auto x = normal({integer(3, 8), integer(2, 5)});
    const auto hull = convex_hull_select(x);
    EXPECT_GE(hull.size(), 3u);
    EXPECT_EQ(convex_hull_select(x * 3 + 1), hull);
    EXPECT_EQ(convex_hull_select(at::cat({x, x.mean(0, true)})), hull);  // the middle is inside
  });
  EXPECT_EQ(convex_hull_select(at::ones({4, 2})), std::vector<int64_t>{0});
  EXPECT_EQ(convex_hull_select(at::arange(4).view({4, 1}).to(at::kDouble)), (std::vector<int64_t>{0, 3}));
  expect_error(ErrorKind::empty, "embeddings", [] { convex_hull_select(at::zeros({0, 2})); });
}

}  // namespace
}  // namespace plaudit
