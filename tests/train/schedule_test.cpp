#include "plaudit/train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

TrainOptions with(const std::string& schedule, double warmup = 0.1, double floor = 0) {
  TrainOptions options;
  options.learning_rate = 2;
  options.schedule = schedule;
  options.warmup = warmup;
  options.min_learning_rate = floor;
  return options;
}

TEST(Schedule, WarmUpRisesToThePeak) {
  const auto options = with("constant");
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 0, 100), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 9, 100), 2);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 99, 100), 2);
  EXPECT_DOUBLE_EQ(learning_rate_at(with("constant", 0), 0, 100), 2);
}

TEST(Schedule, ShapesAfterTheWarmUp) {
  EXPECT_DOUBLE_EQ(learning_rate_at(with("linear"), 55, 100), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(with("cosine"), 55, 100), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(with("cosine"), 32, 98), 2 * 0.5 * (1 + std::cos(M_PI * 22 / 88)));
  EXPECT_DOUBLE_EQ(learning_rate_at(with("inverse-sqrt"), 39, 100), 1);
}

TEST(Schedule, TheFloorIsAShareOfThePeak) {
  EXPECT_DOUBLE_EQ(learning_rate_at(with("linear", 0.1, 0.5), 55, 100), 1.5);
  EXPECT_NEAR(learning_rate_at(with("cosine", 0, 0.1), 99999, 100000), 0.2, 1e-6);
  EXPECT_DOUBLE_EQ(learning_rate_at(with("inverse-sqrt", 0.01, 0.25), 99, 100), 0.5);
}

TEST(Schedule, ShortRunsAndTypos) {
  EXPECT_DOUBLE_EQ(learning_rate_at(with("linear", 1), 0, 1), 2);
  try {
    learning_rate_at(with("cosin"), 0, 1);
    FAIL() << "did not throw";
  } catch (const UserError& error) {
    EXPECT_NE(message_of(error).find("did you mean 'cosine'"), std::string::npos) << message_of(error);
  }
}

}  // namespace
}  // namespace plaudit
