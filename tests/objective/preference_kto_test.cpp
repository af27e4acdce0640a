#include "plaudit/objective/preference_kto.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(KtoLoss, GradientMatchesFiniteDifferencesAndSkipsTheReferencePoint) {
  for_draws(150, [] {
    const int64_t n = integer(1, 5);
    const auto desirable = at::randint(0, 2, {n}, at::kBool);
    const auto kl = uniform({}, 0, 2);
    expect_gradient(
        [&](const auto& x) {
          return kto_loss(x[0], x[1], desirable, kl, {.beta = 0.3, .undesirable_weight = 1.5}).loss;
        },
        {normal({n}, 5), normal({n}, 5)});
    const auto leaf = kl.clone().set_requires_grad(true);
    EXPECT_FALSE(kto_loss(normal({n}), normal({n}), desirable, leaf).loss.requires_grad());
  });
}

TEST(KtoLoss, LossesOfTheTwoKindsAddToTheirWeight) {
  for_draws(200, [] {
    const auto logps = normal({6}, 50), ref = normal({6}, 50), kl = uniform({}, 0, 3);
    const auto yes = at::ones({6}, at::kBool), no = at::zeros({6}, at::kBool);
    const auto sum = kto_loss(logps, ref, yes, kl).losses + kto_loss(logps, ref, no, kl).losses;
    expect_close(sum, at::ones({6}, at::kDouble));
  });
}

TEST(KtoReferencePoint, IsTheClampedMeanWithoutGradient) {
  for_draws(200, [] {
    const auto a = normal({5}, 3).set_requires_grad(true), b = normal({5}, 3);
    const auto kl = kto_reference_point(a, b);
    expect_close(kl, (a - b).mean().clamp_min(0));
    EXPECT_FALSE(kl.requires_grad());
  });
}

TEST(KtoLoss, ErrorsNameTheArgument) {
  const auto x = at::zeros({2}, at::kDouble), flags = at::ones({2}, at::kBool),
             kl = at::zeros({}, at::kDouble);
  expect_error(ErrorKind::value, "kl", [&] { kto_loss(x, x, flags, kl - 0.1); });
  expect_error(ErrorKind::shape, "desirable", [&] { kto_loss(x, x, at::ones({3}), kl); });
  expect_error(ErrorKind::value, "desirable must be 0 or 1, got 0.5", [&] {
    kto_loss(x, x, at::tensor({1.0, 0.5}, at::kDouble), kl);
  });
  expect_error(ErrorKind::nan, "desirable", [&] { kto_loss(x, x, x / 0, kl); });
  expect_error(ErrorKind::value, "beta must be finite, got inf",
               [&] { kto_loss(x, x, flags, kl, {.beta = INFINITY}); });
  expect_error(ErrorKind::shape, "kl", [&] { kto_loss(x, x, flags, x); });
  expect_error(ErrorKind::value, "desirable_weight",
               [&] { kto_loss(x, x, flags, kl, {.desirable_weight = -1}); });
}

}  // namespace
}  // namespace plaudit
