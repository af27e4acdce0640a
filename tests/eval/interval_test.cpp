#include "plaudit/eval/interval.h"

#include <gtest/gtest.h>

#include "plaudit/core/errors.h"

namespace plaudit::eval {
namespace {

// The interval of a normal mean must hold the truth about 95 times in 100.
TEST(Interval, CoversTheMeanAsOftenAsItSays) {
  Rng rng(0, "coverage");
  int covered = 0;
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<double> values(60);
    for (auto& x : values) x = 2 + rng.normal();
    const auto interval = bootstrap_mean(values, rng.child(trial), 0.95, 400);
    covered += interval.low <= 2 && 2 <= interval.high;
  }
  EXPECT_GE(covered, 360);
  EXPECT_LE(covered, 396);
}

TEST(Interval, SameStreamGivesTheSameBounds) {
  const std::vector<double> values = {1, 2, 3, 10};
  const auto a = bootstrap_mean(values, Rng(1, "x")), b = bootstrap_mean(values, Rng(1, "x"));
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_EQ(a.value, 4);
  EXPECT_EQ(a.n, 4);
}

TEST(Interval, PairedDifferenceCancelsTheCommonPart) {
  std::vector<double> a, b;
  for (int i = 0; i < 50; ++i) {
    b.push_back(i * 100.0);
    a.push_back(i * 100.0 + 1);
  }
  const auto d = bootstrap_difference(a, b, Rng(0, "d"));
  EXPECT_DOUBLE_EQ(d.low, 1);
  EXPECT_DOUBLE_EQ(d.high, 1);
}

TEST(Interval, TiesAreHalfAWin) {
  EXPECT_EQ(win_rate({1, 2, 3, 0}, {0, 2, 4, 0}, Rng(0, "w")).value, 0.5);
}

TEST(Interval, RefusesEmptyNanAndUnequal) {
  EXPECT_THROW(bootstrap_mean({}, Rng(0, "e")), UserError);
  EXPECT_THROW(bootstrap_mean({std::nan("")}, Rng(0, "e")), UserError);
  EXPECT_THROW(bootstrap_difference({1}, {1, 2}, Rng(0, "e")), UserError);
}

}  // namespace
}  // namespace plaudit::eval
