#include "plaudit/reward/step_rewards.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// Scores with NaN under the mask.
Tensor scores(const Tensor& mask) {
  return at::where(mask.ne(0), uniform(mask.sizes()), NAN);
}

TEST(StepDelta, ReturnsTelescopeToTheScores) {
  for_draws(300, [] {
    const auto mask = random_mask(4, integer(1, 24));
    const auto s = scores(mask);
    const auto r = step_delta(s, mask);
    expect_close(r.rewards.flip(1).cumsum(1).flip(1), r.returns);
    const auto last = mask.ne(0).sum(1, true) - 1;
    const auto before = at::arange(mask.size(1)).unsqueeze(0).lt(last);
    expect_close(r.returns, at::where(before, s, at::zeros_like(s)));
    EXPECT_TRUE(step_clip(s, mask, 0.5).le(0).all().item<bool>());
    EXPECT_LE(step_normalize(s, mask).sum(1).max().item<double>(), 1 + 1e-12);
  });
}

TEST(DenseSuccess, PaysEverythingOnce) {
  for_draws(200, [] {
    const auto mask = random_mask(3, 8), steps = random_mask(3, 4);
    const auto lengths = mask.ne(0).sum(1, true);
    const auto ends = (uniform({3, 4}) * lengths).floor().to(at::kLong);
    const auto s = scores(steps), success = at::randint(0, 2, {3}).to(at::kDouble);
    const auto r = dense_success(s, steps, ends, success, mask, 0.3);
    expect_close(r.sum(1), success + 0.3 * at::where(steps.ne(0), s, 0.0).sum(1));
  });
}

TEST(StepBce, GradientMatchesFiniteDifferencesAndExtremesAreFinite) {
  for_draws(50, [] {
    const auto mask = random_mask(2, 4);
    const auto labels = uniform({2, 4});
    expect_gradient([&](const auto& x) { return step_bce_loss(x[0], labels, mask); }, {normal({2, 4})});
  });
  const auto z = at::tensor({3000., -3000.}, at::kDouble).unsqueeze(0);
  EXPECT_NEAR(step_bce_loss(z, z.lt(0), at::ones({1, 2})).item<double>(), 3000, 1e-9);
}

}  // namespace
}  // namespace plaudit
