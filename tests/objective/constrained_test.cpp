#include "plaudit/objective/constrained.h"

#include <limits>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Multipliers, AreALawAndBootstrapTakesTheLargerWeight) {
  for_draws(100, [] {
    const auto z = normal({4}, 3);
    const auto plain = normalised_multipliers(z, {.reward_logit = 0.5});
    expect_close(plain.multipliers.sum() + plain.reward_weight, at::ones({}, at::kDouble));
    const auto raised =
        normalised_multipliers(z, {.reward_logit = 0.5, .bootstrap = true, .success_index = 2});
    expect_close(raised.multipliers, plain.multipliers);
    expect_close(raised.reward_weight, at::maximum(plain.reward_weight, plain.multipliers[2]));
  });
}

TEST(LagrangianAdvantage, WeighsRewardAgainstCosts) {
  const auto reward = normal({2, 3}), costs = normal({4, 2, 3}), weights = uniform({4});
  auto wanted = 0.3 * reward;
  for (int64_t k = 0; k < 4; ++k) wanted = wanted - weights[k] * costs[k];
  expect_close(lagrangian_advantage(reward, costs, weights, 0.3), wanted);
}

TEST(TrajectoryBalance, NeverReadsUnderTheMask) {
  for_draws(50, [] {
    const auto z = normal({}), forward = normal({3, 4}), backward = normal({3, 4}), reward = normal({3});
    const auto mask = random_mask(3, 4);
    const auto hidden = at::where(mask.ne(0), forward, std::numeric_limits<double>::quiet_NaN());
    expect_close(trajectory_balance_loss(z, hidden, backward, mask, reward),
                 trajectory_balance_loss(z, forward, backward, mask, reward));
    expect_gradient([&](const auto& x) { return trajectory_balance_loss(x[0], x[1], x[2], mask, x[3]); },
                    {z, forward, backward, reward});
  });
}

TEST(Constrained, ErrorsNameTheArgument) {
  const auto z = at::zeros({2}, at::kDouble);
  // A bad index is refused even where nothing reads it.
  expect_error(ErrorKind::value, "success_index",
               [&] { normalised_multipliers(z, {.bootstrap = false, .success_index = 2}); });
  expect_error(ErrorKind::value, "success_index", [&] { normalised_multipliers(z, {.bootstrap = true}); });
  expect_error(ErrorKind::shape, "multipliers", [&] {
    lagrangian_advantage(at::ones({1, 1}), at::ones({3, 1, 1}), at::ones({2}), 1);
  });
}

}  // namespace
}  // namespace plaudit
