#include "plaudit/objective/dno.h"

#include "plaudit/objective/preference_dpo.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Dno, GradientMatchesFiniteDifferencesAndSparesTheTargets) {
  for_draws(100, [] {
    const int64_t b = integer(1, 4);
    const std::vector<Tensor> fixed = {normal({b}, 5), normal({b}, 5), uniform({b}), uniform({b})};
    expect_gradient(
        [&](const auto& x) {
          return dno_loss({x[0], x[1], fixed[0], fixed[1], fixed[2], fixed[3]}, 0.4).loss;
        },
        {normal({b}, 5), normal({b}, 5)});
  });
}

TEST(Dno, WithCertainTargetsIsDpo) {
  for_draws(100, [] {
    const auto a = normal({3}, 3000), b = normal({3}, 3000), ref_a = normal({3}), ref_b = normal({3});
    const auto win = at::full({3}, 1e4, at::kDouble);
    expect_close(dno_loss({a, b, ref_a, ref_b, win, -win}, 0.2).losses,
                 dpo_loss({a, b, ref_a, ref_b}, {.beta = 0.2}).losses);
  });
}

TEST(Dno, TheOptimumIsTheDifferenceOfRewards) {
  for_draws(100, [] {
    const auto zero = at::zeros({2}, at::kDouble), reward = normal({2}), other = normal({2});
    const auto at_optimum = dno_loss({(reward - other) / 0.3, zero, zero, zero, reward, other}, 0.3).losses;
    const auto elsewhere = dno_loss({normal({2}, 5), zero, zero, zero, reward, other}, 0.3).losses;
    EXPECT_TRUE(elsewhere.ge(at_optimum - 1e-12).all().item<bool>());
  });
}

TEST(Dno, ErrorsNameTheArgument) {
  const auto x = at::zeros({2}, at::kDouble);
  expect_error(ErrorKind::value, "eta", [&] { dno_loss({x, x, x, x, x, x}, 0); });
  expect_error(ErrorKind::nan, "rewards_b", [&] { dno_loss({x, x, x, x, x, x + NAN}); });
}

}  // namespace
}  // namespace plaudit
