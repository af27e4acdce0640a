#include "plaudit/objective/maxmin_policy.h"

#include "plaudit/objective/kl_policy.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(MaxminPolicy, PrimalEqualsDualAndNoOtherPolicyIsBetter) {
  for_draws(200, [] {
    const int64_t groups = integer(1, 4), answers = integer(1, 5);
    const double scale = std::pow(10.0, uniform({}, -1, 1).item<double>());  // low temperatures count as well
    const auto rewards = normal({groups, answers}, scale), reference = at::softmax(normal({answers}), 0);
    const double beta = std::pow(10.0, uniform({}, -1.5, 1).item<double>());
    const auto worst = [&](const Tensor& pi) {
      const auto kl = at::xlogy(pi, pi / reference).sum();
      return (at::matmul(rewards, pi).min() - beta * kl).item<double>();
    };
    const auto best = maxmin_policy(rewards, reference, beta);
    EXPECT_NEAR(worst(best.policy), best.value.item<double>(), 1e-8);
    EXPECT_NEAR(best.weight.sum().item<double>(), 1, 1e-9);
    for (int i = 0; i < 10; ++i)
      EXPECT_LE(worst(at::softmax(normal({answers}, 2), 0)), best.value.item<double>() + 1e-8);
  });
}

TEST(MaxminPolicy, OneGroupIsTheKlOptimum) {
  const auto rewards = normal({1, 4}), reference = at::softmax(normal({4}), 0);
  expect_close(maxmin_policy(rewards, reference, 0.3).policy,
               tabular_kl_policy(rewards, reference.unsqueeze(0), 0.3).policy[0]);
  expect_error(ErrorKind::value, "beta", [&] { maxmin_policy(rewards, reference, 0); });
}

}  // namespace
}  // namespace plaudit
