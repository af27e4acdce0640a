#include "plaudit/eval/control_scores.h"

#include <cmath>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(NormalizedScore, IsZeroForTheRandomAndAHundredForTheExpertPolicy) {
  const auto returns = at::tensor({-2.0, 3.0, 8.0}, at::kDouble);
  expect_close(normalized_score(returns, -2, 3), at::tensor({0.0, 100.0, 200.0}, at::kDouble));
  expect_error(ErrorKind::value, "expert_return", [&] { normalized_score(returns, 1, 1); });
  expect_error(ErrorKind::nan, "random_return", [&] { normalized_score(returns, std::nan(""), 1); });
  expect_error(ErrorKind::nan, "expert_return", [&] { normalized_score(returns, 1, std::nan("")); });
}

TEST(NormalizedScore, D4rlHasItsOwnReferences) {
  const auto cheetah = d4rl_references("HalfCheetah-v5"), hopper = d4rl_references("hopper-medium-v2");
  ASSERT_TRUE(cheetah && hopper);
  EXPECT_EQ(cheetah->expert_return, 12135.0);
  EXPECT_EQ(hopper->random_return, -20.272305);
  EXPECT_FALSE(d4rl_references("Ant-v5"));
}

}  // namespace
}  // namespace plaudit
