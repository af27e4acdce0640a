#include "plaudit/core/rng.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

using Block = std::array<uint32_t, 4>;

TEST(Philox, MatchesTheKnownAnswersOfRandom123) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// Pearson's statistic of `counts` against equal shares.
double chi_squared(const std::vector<int64_t>& counts) {
  double total = 0, statistic = 0;
  for (const auto count : counts) total += static_cast<double>(count);
  const double expected = total / static_cast<double>(counts.size());
  for (const auto count : counts) {
    const double difference = static_cast<double>(count) - expected;
    statistic += difference * difference / expected;
  }
  return statistic;
}

TEST(Rng, StreamsAreFunctionsOfSeedAndName) {
  Rng a(7, "sample"), same(7, "sample"), other_name(7, "label"), other_seed(8, "sample");
  const auto first = a.next();
  EXPECT_EQ(first, same.next());
  EXPECT_NE(first, other_name.next());
  EXPECT_NE(first, other_seed.next());
}

TEST(Rng, ChildrenDoNotDependOnWhatTheParentDrew) {
  Rng parent(1, "p");
  Rng early = parent.child("x"), number = parent.child(3);
  parent.next();
  Rng late = parent.child("x");
  EXPECT_EQ(early.next(), late.next());
  EXPECT_NE(number.next(), early.next());
  EXPECT_NE(parent.child(1).next(), parent.child(2).next());
}

TEST(Rng, NeighbouringStreamsAreUncorrelated) {
  const Rng parent(0, "correlation");
  const auto a = parent.child(0).normal_tensor({100000});
  const auto b = parent.child(1).normal_tensor({100000});
  EXPECT_LT(std::abs((a * b).mean().item<double>()), 5 / std::sqrt(1e5));
}

TEST(Rng, RestoredStateContinuesExactly) {
  Rng a(3, "s");
  for (int i = 0; i < 5; ++i) a.next();
  Rng b(99, "elsewhere");
  b.restore(a.save());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(a.next(), b.next());
  EXPECT_TRUE(at::equal(a.normal_tensor({7}), b.normal_tensor({7})));
}

TEST(Rng, BrokenStatesAreRefused) {
  Rng a(3, "s");
  for (const char* state :
       {"", "12:34", "zzzzzzzzzzzzzzzz:0000000000000000", "0123456789abcdef-0123456789abcdef"}) {
    EXPECT_THROW(a.restore(state), UserError) << state;
  }
}

TEST(Rng, UniformFillsTheUnitIntervalEvenly) {
  Rng rng(0, "uniform");
  std::vector<int64_t> counts(100, 0);
  for (int i = 0; i < 100000; ++i) {
    const double u = rng.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    counts[static_cast<size_t>(u * 100)]++;
  }
  EXPECT_LT(chi_squared(counts), 148.2);  // 99 degrees of freedom, p = 0.001
}

TEST(Rng, NormalHasTheRightMoments) {
  Rng rng(0, "normal");
  double sum = 0, squares = 0, fourth = 0;
  const int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double x = rng.normal();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  EXPECT_NEAR(sum / n, 0, 0.01);
  EXPECT_NEAR(squares / n, 1, 0.02);
  EXPECT_NEAR(fourth / n, 3, 0.15);
}

TEST(Rng, BelowIsUnbiasedEvenForLargeRanges) {
  Rng rng(0, "below");
  std::vector<int64_t> counts(7, 0);
  for (int i = 0; i < 70000; ++i) counts[static_cast<size_t>(rng.below(7))]++;
  EXPECT_LT(chi_squared(counts), 22.5);  // 6 degrees of freedom, p = 0.001

  // A range of 3/4 of all 63-bit numbers: taking the remainder would favour the lower third.
  const int64_t large = (int64_t{3} << 61);
  int64_t lower_third = 0;
  for (int i = 0; i < 30000; ++i) lower_third += rng.below(large) < large / 3;
  EXPECT_NEAR(static_cast<double>(lower_third), 10000, 400);
  EXPECT_EQ(rng.below(1), 0);
  EXPECT_THROW(rng.below(0), UserError);
}

TEST(Rng, CategoricalFollowsTheProbabilitiesAndSkipsZeros) {
  Rng rng(0, "categorical");
  const std::vector<float> probs = {0, 1, 0, 3, 0};
  std::vector<int64_t> counts(5, 0);
  for (int i = 0; i < 40000; ++i) counts[rng.categorical(probs.data(), probs.size())]++;
  EXPECT_EQ(counts[0] + counts[2] + counts[4], 0);
  EXPECT_NEAR(static_cast<double>(counts[1]), 10000, 400);
}

TEST(Rng, CategoricalRefusesWhatIsNoDistribution) {
  Rng rng(0, "categorical");
  for (const std::vector<float>& probs : {std::vector<float>{}, {0, 0}, {1, -1}, {1, NAN}, {INFINITY}}) {
    EXPECT_THROW(rng.categorical(probs.data(), probs.size()), UserError);
  }
}

TEST(Rng, PermutationsAreUniform) {
  Rng rng(0, "permutation");
  std::map<std::vector<int64_t>, int64_t> seen;
  for (int i = 0; i < 24000; ++i) seen[rng.permutation(4)]++;
  ASSERT_EQ(seen.size(), 24u);
  std::vector<int64_t> counts;
  for (const auto& [order, count] : seen) counts.push_back(count);
  EXPECT_LT(chi_squared(counts), 49.7);  // 23 degrees of freedom, p = 0.001
  EXPECT_TRUE(rng.permutation(0).empty());
}

TEST(Rng, TensorsDoNotDependOnTheNumberOfThreads) {
  const auto draw = [](int threads) {
    at::set_num_threads(threads);
    Rng rng(0, "tensor");
    return rng.normal_tensor({50001});
  };
  const int before = at::get_num_threads();
  const auto one = draw(1), two = draw(2);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one, two));
}

TEST(Rng, TensorsHaveTheTypeAskedForAndDoNotRepeat) {
  Rng rng(0, "tensor");
  rng.next();
  for (const auto dtype : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const auto a = rng.uniform_tensor({3, 5}, dtype), b = rng.uniform_tensor({3, 5}, dtype);
    EXPECT_EQ(a.scalar_type(), dtype);
    EXPECT_FALSE(at::equal(a, b));
  }
  EXPECT_LT(rng.uniform_tensor({1 << 20}).max().item<float>(), 1.0f);
  EXPECT_THROW(rng.uniform_tensor({2}, at::kLong), UserError);
}

}  // namespace
}  // namespace plaudit
