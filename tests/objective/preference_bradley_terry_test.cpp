#include "plaudit/objective/preference_bradley_terry.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(BradleyTerry, GradientMatchesFiniteDifferences) {
  for_draws(150, [] {
    const int64_t n = integer(1, 5);
    const auto smoothing = uniform({n}), weight = uniform({n}, 0.1, 2);
    expect_gradient(
        [&](const auto& x) {
          return bradley_terry_loss(
                     x[0], x[1],
                     {.margin = x[2], .label_smoothing = smoothing, .weight = weight, .center_coef = 0.1})
              .loss;
        },
        {normal({n}, 3), normal({n}, 3), normal({n})});
  });
}

TEST(BradleyTerry, OnlyDifferencesMatterWithoutCentring) {
  for_draws(200, [] {
    const auto c = normal({6}, 5), r = normal({6}, 5), shift = normal({6}, 100);
    expect_close(bradley_terry_loss(c + shift, r + shift).losses, bradley_terry_loss(c, r).losses, 1e-8);
  });
}

TEST(BradleyTerry, AWeightIsARepetition) {
  for_draws(200, [] {
    const auto c = normal({4}, 3), r = normal({4}, 3);
    const auto weight = at::randint(1, 4, {4}, at::kLong);
    const auto repeated = bradley_terry_loss(c.repeat_interleave(weight), r.repeat_interleave(weight));
    expect_close(bradley_terry_loss(c, r, {.weight = weight}).loss, repeated.loss);
  });
}

TEST(BradleyTerry, ASmoothingOfOneSwapsThePair) {
  for_draws(100, [] {
    const auto c = normal({4}, 3), r = normal({4}, 3), one = at::ones({}, at::kDouble);
    expect_close(bradley_terry_loss(c, r, {.label_smoothing = one}).losses, bradley_terry_loss(r, c).losses);
  });
}

TEST(BradleyTerry, ATieIsNotCorrect) {
  const auto c = at::tensor({1.0, 2.0, 0.0}), r = at::tensor({1.0, 1.0, 3.0});
  expect_close(bradley_terry_loss(c, r).accuracy, at::scalar_tensor(1.0 / 3, at::kDouble));
}

TEST(BradleyTerry, AScalarMarginIsOneForAllPairs) {
  const auto c = normal({3}), r = normal({3});
  const auto one = bradley_terry_loss(c, r, {.margin = at::scalar_tensor(0.5, at::kDouble)});
  expect_close(one.losses, bradley_terry_loss(c, r, {.margin = at::full({3}, 0.5, at::kDouble)}).losses);
}

TEST(BradleyTerry, ErrorsNameTheArgument) {
  const auto x = at::zeros({2}, at::kDouble);
  expect_error(ErrorKind::shape, "margin", [&] { bradley_terry_loss(x, x, {.margin = at::zeros({3})}); });
  expect_error(ErrorKind::value, "label_smoothing",
               [&] { bradley_terry_loss(x, x, {.label_smoothing = at::full({}, 1.5)}); });
  expect_error(ErrorKind::value, "weight", [&] { bradley_terry_loss(x, x, {.weight = x}); });
  expect_error(ErrorKind::value, "weight", [&] { bradley_terry_loss(x, x, {.weight = x - 1}); });
  expect_error(ErrorKind::nan, "weight", [&] { bradley_terry_loss(x, x, {.weight = x / 0}); });
}

}  // namespace
}  // namespace plaudit
