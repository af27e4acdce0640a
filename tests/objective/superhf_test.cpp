#include "plaudit/objective/superhf.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Superhf, GradientMatchesFiniteDifferencesAndTheMaskHides) {
  for_draws(50, [] {
    const int64_t b = integer(1, 2), t = integer(1, 3), v = integer(2, 4);
    const auto mask = random_mask(b, t), targets = at::randint(0, v, {b, t}, at::kLong);
    const auto logits = normal({b, t, v}), ref = normal({b, t, v});
    for (const auto* direction : {"ref_policy", "policy_ref"}) {
      const SuperhfOptions options = {.direction = direction, .inverse_loss_penalty = 0.1};
      const auto loss = [&](const std::vector<Tensor>& x) {
        return superhf_loss(x[0], ref, targets, mask, options).loss;
      };
      expect_gradient(loss, {logits});
      const auto hidden = at::where(mask.unsqueeze(-1).ne(0), logits, NAN);
      expect_close(loss({hidden}), loss({logits}));
      EXPECT_TRUE(at::isfinite(gradients(loss, {hidden})[0]).all().item<bool>());
    }
  });
}

TEST(Superhf, TheDivergenceIsNeverNegativeAndDirectionsAreMirrored) {
  for_draws(100, [] {
    const auto a = normal({2, 3, 4}, 1000), b = normal({2, 3, 4}, 1000);
    const auto targets = at::zeros({2, 3}, at::kLong), mask = random_mask(2, 3);
    const auto forward = superhf_loss(a, b, targets, mask).kl;
    EXPECT_GE(forward.item<double>(), 0);
    expect_close(superhf_loss(b, a, targets, mask, {.direction = "policy_ref"}).kl, forward);
  });
}

TEST(Superhf, ACertainPolicyIsPenalisedWithoutBound) {
  const auto certain = at::tensor({1e3, -1e3}).view({1, 1, 2});
  const auto zero = at::zeros({1, 1}, at::kLong), mask = at::ones({1, 1}, at::kLong);
  EXPECT_EQ(superhf_loss(certain, certain, zero, mask, {.inverse_loss_penalty = 0.1}).loss.item<double>(),
            INFINITY);
}

TEST(Superhf, ErrorsNameTheArgument) {
  const auto x = at::zeros({1, 2, 3}, at::kDouble);
  const auto targets = at::zeros({1, 2}, at::kLong), mask = at::ones({1, 2}, at::kLong);
  expect_error(ErrorKind::value, "targets", [&] { superhf_loss(x, x, targets + 3, mask); });
  expect_error(ErrorKind::empty, "mask", [&] { superhf_loss(x, x, targets, mask * 0); });
  expect_error(ErrorKind::value, "direction",
               [&] { superhf_loss(x, x, targets, mask, {.direction = "both"}); });
}

}  // namespace
}  // namespace plaudit
