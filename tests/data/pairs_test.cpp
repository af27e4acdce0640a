#include "plaudit/data/pairs.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/data/expect_error.h"

namespace plaudit {
namespace {

using Pairs = std::vector<PairIndices>;

TEST(ChoosePairs, EachMode) {
  const std::vector<double> scores{2, 5, 1, 5};
  EXPECT_EQ(choose_pairs(scores, "best-worst").pairs, (Pairs{{1, 2}}));
  const auto adjacent = choose_pairs(scores, "adjacent");
  EXPECT_EQ(adjacent.pairs, (Pairs{{3, 0}, {0, 2}}));
  EXPECT_EQ(adjacent.ties, 1);
  const auto all = choose_pairs(scores, "all");
  EXPECT_EQ(all.pairs, (Pairs{{1, 0}, {0, 2}, {3, 0}, {1, 2}, {3, 2}}));
  EXPECT_EQ(all.ties, 1);
}

TEST(ChoosePairs, EqualScoresGiveTies) {
  EXPECT_EQ(choose_pairs({1, 1, 1}, "best-worst").ties, 1);
  EXPECT_EQ(choose_pairs({1, 1, 1}, "adjacent").ties, 2);
  EXPECT_EQ(choose_pairs({1, 1, 1}, "all").ties, 3);
  EXPECT_TRUE(choose_pairs({1, 1, 1}, "all").pairs.empty());
}

TEST(ChoosePairs, RefusesWhatCannotBeCompared) {
  expect_error(ErrorKind::shape, {"two or more, got 1"}, [] { choose_pairs({1}, "all"); });
  expect_error(ErrorKind::nan, {"scores[1]"}, [] { choose_pairs({1, NAN}, "all"); });
  expect_error(ErrorKind::value, {"best-wors", "best-worst"}, [] { choose_pairs({1, 2}, "best-wors"); });
}

TEST(MakePairOf, KeepsScoresAndExtras) {
  RankedList list{{"p", {}}, {"a", "b"}, {1, 3}, {{"source", "x"}}};
  const auto pair = make_pair_of(list, {1, 0});
  EXPECT_EQ(pair.chosen, "b");
  EXPECT_EQ(pair.rejected, "a");
  EXPECT_EQ(pair.extra, (Json{{"source", "x"}, {"chosen_score", 3.0}, {"rejected_score", 1.0}}));
  EXPECT_FALSE(pair.margin.has_value());
}

}  // namespace
}  // namespace plaudit
