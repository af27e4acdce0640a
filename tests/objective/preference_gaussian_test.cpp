#include "plaudit/objective/preference_gaussian.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(GaussianPreferenceLoss, GradientMatchesFiniteDifferencesAndTheMaskHides) {
  for_draws(50, [] {
    const int64_t k = integer(1, 3), b = integer(1, 3), t = integer(1, 4);
    const auto mask = random_mask(b, t);
    const auto noise_a = normal({k, b, t}), noise_b = normal({k, b, t}), label = uniform({b});
    const auto loss = [&](const std::vector<Tensor>& x) {
      return gaussian_preference_loss({x[0], x[1], noise_a}, {x[2], x[3], noise_b}, label, mask);
    };
    const std::vector<Tensor> x = {normal({b, t}), normal({b, t}), normal({b, t}), normal({b, t})};
    expect_gradient(loss, x);
    std::vector<Tensor> hidden;
    for (const auto& tensor : x) hidden.push_back(at::where(mask.ne(0), tensor, NAN));
    expect_close(loss(hidden), loss(x));
    for (const auto& grad : gradients(loss, hidden)) EXPECT_TRUE(at::isfinite(grad).all().item<bool>());
  });
}

TEST(GaussianPreferenceLoss, ExchangingTheSidesExchangesTheLabel) {
  for_draws(200, [] {
    const GaussianSteps a = {normal({2, 3}, 100), normal({2, 3}), normal({4, 2, 3})};
    const GaussianSteps b = {normal({2, 3}, 100), normal({2, 3}), normal({4, 2, 3})};
    const auto label = uniform({2}), mask = random_mask(2, 3);
    expect_close(gaussian_preference_loss(a, b, label, mask),
                 gaussian_preference_loss(b, a, 1 - label, mask));
  });
}

TEST(UncertaintyFloor, IsZeroAboveTheLevel) {
  const auto mask = at::ones({1, 2}, at::kLong);
  EXPECT_EQ(uncertainty_floor_loss(at::ones({1, 2}, at::kDouble), mask).loss.item<double>(), 0);
  expect_gradient([&](const auto& x) { return uncertainty_floor_loss(x[0], mask, 3).loss; },
                  {normal({1, 2})});
}

TEST(GaussianPreference, ErrorsNameTheArgument) {
  const auto x = at::zeros({1, 2}, at::kDouble), noise = at::zeros({1, 1, 2}, at::kDouble);
  const auto mask = at::ones({1, 2}, at::kLong), label = at::ones({1}, at::kDouble);
  expect_error(ErrorKind::shape, "noise", [&] { gaussian_sample(x, x, noise.squeeze(0)); });
  expect_error(ErrorKind::value, "label", [&] {
    gaussian_preference_loss({x, x, noise}, {x, x, noise}, label + 1, mask);
  });
  expect_error(ErrorKind::shape, "mask", [&] {
    gaussian_preference_loss({x, x, noise}, {x, x, noise}, label, at::ones({}, at::kLong));
  });
  expect_error(ErrorKind::empty, "mask", [&] {
    gaussian_preference_loss({x, x, noise}, {x, x, noise}, label, mask * 0);
  });
}

}  // namespace
}  // namespace plaudit
