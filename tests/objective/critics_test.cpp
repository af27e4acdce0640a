#include "plaudit/objective/critics.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(EdacDiversity, IsTheMeanCosineOfDifferentCritics) {
  for_draws(200, [] {
    const int64_t n = integer(2, 4);
    const auto g = normal({n, 3, 2});
    const auto unit = g / g.norm(2, {2}, true);
    auto expected = at::zeros({3}, at::kDouble);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        if (i != j) expected = expected + (unit[i] * unit[j]).sum(1);
      }
    }
    expect_close(edac_diversity(g), expected.mean() / static_cast<double>(n - 1), 1e-8);
    expect_close(edac_diversity(3 * g), edac_diversity(g), 1e-8);
    expect_gradient([](const auto& x) { return edac_diversity(x[0]); }, {g}, 1e-4);
  });
  const auto still =
      gradients([](const auto& x) { return edac_diversity(x[0]); }, {at::zeros({2, 1, 2}, at::kDouble)})[0];
  EXPECT_TRUE(at::isfinite(still).all().item<bool>());
}

TEST(Critics, PenaltyIsZeroWhereAllAgreeAndTargetsCarryNoGradient) {
  for_draws(200, [] {
    const auto q = normal({4, 3});
    EXPECT_GE(ensemble_penalty(q).min().item<double>(), 0);
    expect_close(ensemble_penalty(q[0].expand({4, 3})), at::zeros({3}, at::kDouble));
    const auto target = normal({3});
    expect_gradient([&](const auto& x) { return ensemble_q_loss(x[0], target); }, {q});
    expect_close(polyak_update(target, q[0], 0), target);
    expect_close(polyak_update(target, q[0], 1), q[0]);
    const auto a = td3_smoothed_action(normal({2, 3}, 5), normal({2, 3}, 5));
    EXPECT_LE(a.abs().max().item<double>(), 1);
  });
}

TEST(Critics, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "action_grads", [] { edac_diversity(at::ones({1, 1, 2})); });
  expect_error(ErrorKind::value, "tau", [] { polyak_update(at::ones({1}), at::ones({1}), 2); });
}

}  // namespace
}  // namespace plaudit
