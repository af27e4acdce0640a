#include "plaudit/core/mixed_types.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace plaudit {
namespace {

TEST(CommonRealType, IsTheWidestAndAtLeastSingle) {
  const auto half = at::zeros({1}, at::kBFloat16), single = at::zeros({1}, at::kFloat),
             wide = at::zeros({1}, at::kDouble), whole = at::zeros({1}, at::kLong);
  EXPECT_EQ(common_real_type({half, half}), at::kFloat);
  EXPECT_EQ(common_real_type({half, single}), at::kFloat);
  EXPECT_EQ(common_real_type({single, wide, half}), at::kDouble);
  EXPECT_EQ(common_real_type({half, whole}), at::kDouble);
}

}  // namespace
}  // namespace plaudit
