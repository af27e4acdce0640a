#include "plaudit/reward/intrinsic.h"

#include <cmath>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(NormalizeThreshold, KeepsOnlyWhatIsStrictlyAboveTheThreshold) {
  const auto rewards = at::tensor({1.0, 3.0, 5.0}, at::kDouble);
  expect_close(normalize_threshold(rewards, 1, 4, 1), at::tensor({0.0, 0.0, 2.0}, at::kDouble));
  expect_error(ErrorKind::value, "var", [&] { normalize_threshold(rewards, 0, 0, 0); });
  expect_error(ErrorKind::nan, "threshold", [&] { normalize_threshold(rewards, 0, 1, std::nan("")); });
}

}  // namespace
}  // namespace plaudit
