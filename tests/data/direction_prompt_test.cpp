#include "plaudit/data/direction_prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

std::string refusal(const std::vector<double>& direction) {
  try {
    check_direction("--direction", direction);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(DirectionPrompt, ADirectionMustBeOfLengthOne) {
  EXPECT_EQ(refusal({0.8, 0.6}), "");
  EXPECT_EQ(refusal({1}), "");
  EXPECT_THAT(refusal({0.8, 0.8}), ::testing::HasSubstr("--direction: must be of length 1, got 1.131"));
  EXPECT_THAT(refusal({}), ::testing::HasSubstr("holds no weight"));
  EXPECT_THAT(refusal({NAN, 1}), ::testing::HasSubstr("nan"));
}

TEST(DirectionPrompt, StandsBeforeTheSystemMessageOrTheText) {
  const Prompt chat{"", {{"user", "Hello"}}}, system{"", {{"system", "Be kind."}, {"user", "Hello"}}};
  const auto with = with_direction(chat, {0.8, -0.6});
  ASSERT_EQ(with.messages.size(), 2u);
  EXPECT_EQ(with.messages[0].role, "system");
  EXPECT_EQ(with.messages[0].content, "Rating weights: 80, -60.");
  EXPECT_EQ(with_direction(system, {1, 0}).messages[0].content, "Rating weights: 100, 0.\nBe kind.");
  EXPECT_EQ(with_direction({"Once", {}}, {0, 1}).text, "Rating weights: 0, 100.\nOnce");
}

}  // namespace
}  // namespace plaudit
