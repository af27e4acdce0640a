#include "plaudit/run/plot_scale.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plaudit {
namespace {

using Labels = std::vector<std::string>;

Labels labels(const PlotScale& scale, int count) {
  Labels out;
  for (const auto& tick : scale.ticks(count)) out.push_back(tick.label);
  return out;
}

TEST(PlotScale, TicksAreRoundNumbersWithinTheRange) {
  EXPECT_EQ(labels({0, 1, 0, 100}, 5), (Labels{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels({-0.3, 0.21, 0, 100}, 5), (Labels{"-0.2", "0", "0.2"}));
  EXPECT_EQ(labels({0, 10, 0, 100}, 4), (Labels{"0", "2.5", "5.0", "7.5", "10.0"}));
  EXPECT_EQ(labels({0, 42, 0, 100}, 5), (Labels{"0", "10", "20", "30", "40"}));
  EXPECT_EQ(labels({1e6, 3e6, 0, 100}, 4), (Labels{"1.0e+06", "1.5e+06", "2.0e+06", "2.5e+06", "3.0e+06"}));
}

TEST(PlotScale, NeighboursHaveDifferentLabelsAtEveryScale) {
  for (double scale = 1e-9; scale < 1e12; scale *= 3.7) {
    for (const double offset : {0.0, -2.0, 17.0}) {
      const PlotScale axis(offset * scale, (offset + 1.3) * scale, 0, 100);
      const auto ticks = axis.ticks(5);
      ASSERT_GE(ticks.size(), 2u) << scale;
      ASSERT_LE(ticks.size(), 9u) << scale;
      for (size_t i = 1; i < ticks.size(); ++i) EXPECT_NE(ticks[i].label, ticks[i - 1].label) << scale;
      for (const auto& tick : ticks) {
        EXPECT_GE(axis.pixel(tick.value), -1e-6);
        EXPECT_LE(axis.pixel(tick.value), 100 + 1e-6);
        EXPECT_NEAR(std::stod(tick.label), tick.value, 1e-3 * scale);
      }
    }
  }
}

TEST(PlotScale, LogarithmicTicksArePowers) {
  EXPECT_EQ(labels({1, 64, 0, 100, true}, 7), (Labels{"1", "2", "4", "8", "16", "32", "64"}));
  EXPECT_EQ(labels({1, 1e6, 0, 100, true}, 7),
            (Labels{"1", "10", "100", "1000", "10000", "100000", "1e+06"}));
  EXPECT_DOUBLE_EQ(PlotScale(1, 64, 0, 60, true).pixel(8), 30);
}

TEST(PlotScale, ALogarithmicAxisWithoutAPowerHasTicksAllTheSame) {
  EXPECT_EQ(labels({5, 7, 0, 100, true}, 4), (Labels{"5.0", "5.5", "6.0", "6.5", "7.0"}));
}

TEST(PlotScale, AnEmptyRangeIsWidened) {
  EXPECT_DOUBLE_EQ(PlotScale(3, 3, 0, 100).pixel(3), 50);
  EXPECT_DOUBLE_EQ(PlotScale(0, 0, 0, 100).pixel(0), 50);
  EXPECT_DOUBLE_EQ(PlotScale(8, 8, 0, 100, true).pixel(8), 50);
}

TEST(PlotScale, PixelsOfADownwardAxis) {
  EXPECT_DOUBLE_EQ(PlotScale(0, 10, 300, 20).pixel(10), 20);
  EXPECT_DOUBLE_EQ(PlotScale(0, 10, 300, 20).pixel(0), 300);
}

}  // namespace
}  // namespace plaudit
