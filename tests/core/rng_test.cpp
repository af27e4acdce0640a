#include "plaudit/core/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  const std::array<uint32_t, 4> zero = philox({0, 0, 0, 0}, {0, 0});
  EXPECT_EQ(zero, (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t f = 0xffffffff;
  EXPECT_EQ(philox({f, f, f, f}, {f, f}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, StreamsDependOnSeedAndNameOnly) {
  Rng a(7, "policy"), b(7, "policy"), c(7, "data"), d(8, "policy");
  const auto first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
  EXPECT_NE(first, d.next());
  // Drawing from the parent does not move its children.
  EXPECT_EQ(a.child("x").next(), Rng(7, "policy").child("x").next());
}

TEST(Rng, ManyChildrenAreAllDifferent) {
  const Rng root(0, "root");
  std::set<uint64_t> seen;
  for (int64_t i = 0; i < 10000; ++i) seen.insert(root.child(i).next());
  EXPECT_EQ(seen.size(), 10000u);
}

TEST(Rng, RestoreContinuesExactly) {
  Rng a(3, "s");
  for (int i = 0; i < 5; ++i) a.normal();
  const auto state = a.save();
  std::vector<double> expected;
  for (int i = 0; i < 7; ++i) expected.push_back(a.uniform());
  Rng b(99, "other");
  b.restore(state);
  for (const double x : expected) EXPECT_EQ(b.uniform(), x);
}

TEST(Rng, RestoreRefusesGarbage) {
  Rng a(0, "s");
  for (const char* text :
       {"", "12:34", "zzzzzzzzzzzzzzzz:0000000000000000", "0123456789abcdef-0123456789abcdef"})
    EXPECT_THROW(a.restore(text), UserError) << text;
}

TEST(Rng, MomentsAreRight) {
  Rng rng(1, "moments");
  const int n = 200000;
  double sum = 0, square = 0, uniform = 0;
  for (int i = 0; i < n; ++i) {
    const double x = rng.normal();
    sum += x;
    square += x * x;
    uniform += rng.uniform();
  }
  EXPECT_NEAR(sum / n, 0, 0.01);
  EXPECT_NEAR(square / n, 1, 0.02);
  EXPECT_NEAR(uniform / n, 0.5, 0.005);
}

TEST(Rng, BelowCoversItsRangeEvenly) {
  Rng rng(2, "below");
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) ++counts[static_cast<size_t>(rng.below(6))];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
  EXPECT_THROW(rng.below(0), BugError);
}

TEST(Rng, CategoricalFollowsItsWeights) {
  Rng rng(4, "categorical");
  const float probs[] = {0, 1, 0, 3};
  std::array<int, 4> counts{};
  for (int i = 0; i < 40000; ++i) ++counts[rng.categorical(probs, 4)];
  EXPECT_EQ(counts[0] + counts[2], 0);
  EXPECT_NEAR(counts[1], 10000, 400);
}

TEST(Rng, PermutationHoldsEachIndexOnce) {
  Rng rng(5, "permutation");
  auto order = rng.permutation(1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
  EXPECT_TRUE(rng.permutation(0).empty());
}

}  // namespace
}  // namespace plaudit
