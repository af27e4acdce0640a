#include "plaudit/objective/sac.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

Tensor number(double x) {
  return at::scalar_tensor(x, at::kDouble);
}

TEST(TanhGaussian, LogDensityEqualsTheChangeOfVariables) {
  for_draws(200, [] {
    const auto mean = normal({3, 2}), log_std = normal({3, 2}, 0.3), noise = normal({3, 2});
    const double scale = uniform({}, 0.5, 3).item<double>();
    const auto s = tanh_gaussian_sample(mean, log_std, noise, scale);
    const auto normal_part = -noise.square() / 2 - log_std - std::log(2 * M_PI) / 2;
    const auto slope = scale * (1 - at::tanh(mean + log_std.exp() * noise).square());
    expect_close(s.logp, (normal_part - slope.log()).sum(1), 1e-6);
    expect_gradient([&](const auto& x) { return tanh_gaussian_sample(x[0], x[1], noise, scale).logp.sum(); },
                    {mean, log_std});
  });
}

TEST(TanhGaussian, StaysFiniteFarOut) {
  const auto s =
      tanh_gaussian_sample(at::full({1, 1}, 3000.0, at::kDouble), at::zeros({1, 1}), at::zeros({1, 1}));
  EXPECT_TRUE(std::isfinite(s.logp.item<double>()));
  EXPECT_LE(s.action.item<double>(), 1);
}

TEST(Sac, SequenceOfOneIsTheSingleDecision) {
  for_draws(200, [] {
    const auto logps = normal({4}), q = normal({3, 4});
    const auto one = sequence_actor_loss(logps.unsqueeze(1), q.unsqueeze(2), number(0.3));
    expect_close(one.loss, sac_actor_loss(logps, q, number(0.3)));
    const auto log_alpha = normal({});
    expect_close(sequence_temperature_loss(log_alpha, logps.unsqueeze(1), -2),
                 sac_temperature_loss(log_alpha, logps, -2).loss);
    // One temperature per state, all alike, is the scalar.
    expect_close(sac_actor_loss(logps, q, at::full({4}, 0.3, at::kDouble)),
                 sac_actor_loss(logps, q, number(0.3)));
    expect_gradient([&](const auto& x) { return sac_actor_loss(x[0], x[1], number(0.3)); }, {logps, q});
  });
}

TEST(Sac, ErrorsNameTheArgument) {
  const auto x = at::ones({2}, at::kDouble);
  expect_error(ErrorKind::shape, "q", [&] { sac_actor_loss(x, at::ones({1, 3}), number(1)); });
  expect_error(ErrorKind::shape, "alpha", [&] { sac_actor_loss(x, at::ones({1, 2}), at::ones({3})); });
  expect_error(ErrorKind::value, "gamma", [&] { soft_q_target(x, x, at::ones({1, 2}), x, number(1), 2); });
  expect_error(ErrorKind::value, "scale", [&] {
    tanh_gaussian_sample(at::ones({1, 1}), at::ones({1, 1}), at::ones({1, 1}), 0);
  });
}

}  // namespace
}  // namespace plaudit
