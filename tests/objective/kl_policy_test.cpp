#include "plaudit/objective/kl_policy.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(KlOptimalPolicy, SumsToOneAndBeatsEveryOtherPolicy) {
  for_draws(300, [] {
    const int64_t x = integer(1, 4), a = integer(1, 6);
    const auto ref = at::log_softmax(normal({x, a}), 1), rewards = normal({x, a});
    const double beta = uniform({}, 0.05, 2).item<double>();
    const auto best = kl_optimal_policy(ref, rewards, beta);
    expect_close(best.logps.exp().sum(1), at::ones({x}, at::kDouble));
    const auto value = [&](const Tensor& logps) {
      return (logps.exp() * (rewards - beta * (logps - ref))).sum(1);
    };
    const auto other = at::log_softmax(best.logps + normal({x, a}, 0.3), 1);
    EXPECT_TRUE((value(best.logps) >= value(other) - 1e-12).all().item<bool>());
    // The value of the optimum is beta log Z.
    expect_close(value(best.logps), beta * best.log_partition);
  });
}

TEST(KlOptimalPolicy, TinyBetaDoesNotOverflow) {
  const auto r =
      kl_optimal_policy(at::zeros({1, 3}, at::kDouble), at::tensor({1e4, -1e4, 0.0}).view({1, 3}), 1e-3);
  EXPECT_TRUE(at::isfinite(r.logps).all().item<bool>());
}

TEST(KlOptimalPolicy, ErrorsNameTheArgument) {
  const auto x = at::zeros({2, 3}, at::kDouble);
  expect_error(ErrorKind::shape, "rewards", [&] { kl_optimal_policy(x, x.t()); });
  expect_error(ErrorKind::value, "beta", [&] { kl_optimal_policy(x, x, 0); });
}

}  // namespace
}  // namespace plaudit
