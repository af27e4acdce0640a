#include "plaudit/objective/dynamics.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(SoftClamp, StaysInsideTheBoundsAndIsMonotone) {
  for_draws(200, [] {
    const auto low = at::full({6}, -2.0, at::kDouble), high = at::full({6}, 0.5, at::kDouble);
    const auto x = std::get<0>(normal({6}, 20).sort());
    const auto y = soft_clamp_logvar(x, low, high);
    EXPECT_GE(y.min().item<double>(), -2);
    EXPECT_LE(y.max().item<double>(), 0.6);  // softplus of the other bound adds a little
    EXPECT_GE(y.diff().min().item<double>(), -1e-12);
  });
}

TEST(DynamicsLoss, GradientsAndMembers) {
  for_draws(60, [] {
    const auto mean = normal({2, 3, 2}), lv = normal({2, 3, 2}), target = normal({2, 3, 2});
    const auto low = normal({2}) - 5, high = normal({2});
    expect_gradient([&](const auto& x) { return dynamics_loss(x[0], x[1], target, x[2], x[3]).loss; },
                    {mean, lv, low, high});
    const auto loss = dynamics_loss(mean, lv, target, low, high, 0);
    expect_close(loss.loss, loss.per_member.sum());
  });
}

// The head bounds its log-variances; bounding them again would bias both the likelihood and the bounds.
TEST(DynamicsLoss, TakesTheLogVarianceAsItIs) {
  const auto mean = normal({2, 3, 2}), lv = normal({2, 3, 2}, 3), target = normal({2, 3, 2});
  const auto low = normal({2}) - 5, high = normal({2});
  const auto loss = dynamics_loss(mean, lv, target, low, high, 0.5);
  const auto wanted = lv + (target - mean).square() / lv.exp();
  expect_close(loss.per_member, wanted.mean({1, 2}));
  expect_close(loss.loss, wanted.mean({1, 2}).sum() + 0.5 * (high - low).sum());
}

TEST(DynamicsStep, TakesTheChosenMember) {
  for_draws(100, [] {
    const auto mean = normal({3, 2, 3}), lv = normal({3, 2, 3}), states = normal({2, 2});
    const auto member = at::randint(0, 3, {2}, at::kLong);
    const auto step = dynamics_step(mean, lv, states, at::zeros({2, 3}), member);
    for (int64_t b = 0; b < 2; ++b) {
      const auto row = mean[member[b].item<int64_t>()][b];
      expect_close(step.next_states[b], states[b] + row.slice(0, 0, 2));
      expect_close(step.rewards[b], row[2]);
    }
  });
}

TEST(Dynamics, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "num_elites", [] { select_elites(at::ones({2}), 3); });
  expect_error(ErrorKind::value, "member", [] {
    dynamics_step(at::ones({1, 1, 2}), at::ones({1, 1, 2}), at::ones({1, 1}), at::ones({1, 2}),
                  at::ones({1}, at::kLong));
  });
  expect_error(ErrorKind::value, "std", [] {
    standardize_clip(at::ones({1, 1}), at::ones({1}), at::zeros({1}));
  });
}

}  // namespace
}  // namespace plaudit
