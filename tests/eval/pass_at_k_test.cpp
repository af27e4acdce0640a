#include "plaudit/eval/pass_at_k.h"

#include <cmath>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

double log_choose(int64_t n, int64_t k) {
  return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
}

TEST(PassAtK, EqualsTheBinomialsAndRisesWithKAndC) {
  for (int64_t n = 1; n <= 25; ++n) {
    for (int64_t c = 0; c <= n; ++c) {
      for (int64_t k = 1; k <= n; ++k) {
        const double expected = n - c < k ? 1 : 1 - std::exp(log_choose(n - c, k) - log_choose(n, k));
        EXPECT_NEAR(pass_at_k(n, c, k), expected, 1e-10);
        if (k > 1) EXPECT_GE(pass_at_k(n, c, k), pass_at_k(n, c, k - 1));
        if (c > 0) EXPECT_GE(pass_at_k(n, c, k), pass_at_k(n, c - 1, k));
      }
    }
  }
  EXPECT_NEAR(pass_at_k(1000000, 1, 1000), 0.001, 1e-9);
}

TEST(PassAtK, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "k", [] { pass_at_k(3, 1, 4); });
  expect_error(ErrorKind::value, "c", [] { pass_at_k(3, 4, 1); });
}

}  // namespace
}  // namespace plaudit
