#include "plaudit/objective/policy_filtration.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(PolicyFiltration, PicksAndWeightsAgree) {
  for_draws(300, [] {
    const int64_t n = integer(1, 20);
    const auto rewards = normal({n}).mul(2).round(), group = at::randint(0, 4, {n}, at::kLong);
    const int64_t groups = std::get<0>(at::_unique(group)).numel();
    const auto uniforms = uniform({groups});
    for (const auto* method : {"best", "best_worst"}) {
      const auto picked = policy_filtration_pick(rewards, group, uniforms, method);
      const auto flags = at::zeros({n}, at::kDouble).index_fill(0, picked, 1);
      expect_close(policy_filtration_weights(rewards, group, method), flags);
      EXPECT_EQ(flags.sum().item<int64_t>(), picked.numel());  // no index twice
    }
    EXPECT_EQ(policy_filtration_pick(rewards, group, uniforms, "all").numel(), n);
  });
}

TEST(PolicyFiltration, BestRandomDrawsEveryOtherEvenly) {
  const auto rewards = at::tensor({0.0, 3.0, 1.0, 2.0}), group = at::zeros({4}, at::kLong);
  for (const auto& [u, other] : {std::pair{0.0, 0}, std::pair{0.4, 2}, std::pair{0.99, 3}}) {
    const auto picked = policy_filtration_pick(rewards, group, at::full({1}, u), "best_random");
    EXPECT_TRUE(at::equal(picked, at::tensor({int64_t{1}, static_cast<int64_t>(other)}, at::kLong)));
  }
}

TEST(PolicyFiltration, ErrorsNameTheArgument) {
  const auto r = at::zeros({2}), g = at::zeros({2}, at::kLong);
  expect_error(ErrorKind::shape, "uniforms", [&] { policy_filtration_pick(r, g, at::zeros({2}), "best"); });
  expect_error(ErrorKind::value, "uniforms", [&] { policy_filtration_pick(r, g, at::ones({1}), "best"); });
  expect_error(ErrorKind::value, "method", [&] { policy_filtration_weights(r, g, "worst"); });
}

}  // namespace
}  // namespace plaudit
