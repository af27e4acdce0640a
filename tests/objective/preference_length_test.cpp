#include "plaudit/objective/preference_length.h"

#include "plaudit/objective/preference_dpo.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(SimpoLoss, GradientMatchesFiniteDifferences) {
  for_draws(150, [] {
    const int64_t n = integer(1, 4);
    const auto w_len = at::randint(1, 9, {n}, at::kLong), l_len = at::randint(1, 9, {n}, at::kLong);
    expect_gradient(
        [&](const auto& x) {
          return simpo_loss(x[0], x[1], w_len, l_len, {.beta = 2.5, .label_smoothing = 0.1}).loss;
        },
        {normal({n}, 3), normal({n}, 3)});
  });
}

TEST(SimpoLoss, IsReferenceFreeDpoOnAveragesWithAMargin) {
  for_draws(200, [] {
    const auto w = normal({5}, 10), l = normal({5}, 10), zero = at::zeros({5}, at::kDouble);
    const auto w_len = at::randint(1, 9, {5}, at::kLong), l_len = at::randint(1, 9, {5}, at::kLong);
    const auto dpo = dpo_loss({w / w_len - 0.5, l / l_len, zero, zero}, {.beta = 2});
    expect_close(simpo_loss(w, l, w_len, l_len).losses, dpo.losses);
  });
}

TEST(SimpoLoss, RefusesEmptyAnswers) {
  const auto x = -at::ones({2}, at::kDouble), lengths = at::tensor({3, 0});
  expect_error(ErrorKind::value, "rejected_lengths", [&] { simpo_loss(x, x, lengths + 1, lengths); });
  expect_error(ErrorKind::shape, "chosen_lengths", [&] { simpo_loss(x, x, at::ones({3}), lengths); });
}

TEST(OrpoLoss, GradientMatchesFiniteDifferences) {
  for_draws(150, [] {
    const int64_t n = integer(1, 4);
    expect_gradient([](const auto& x) { return orpo_loss(x[0], x[1], -x[0]).log_odds_ratio.sum(); },
                    {-uniform({3}, 0.05, 3), -uniform({3}, 0.05, 3)});
    expect_gradient([](const auto& x) { return orpo_loss(x[0], x[1], x[2], {.lam = 0.3}).loss; },
                    {uniform({n}, -5, -0.01), uniform({n}, -5, -0.01), uniform({n}, 0, 5)});
  });
}

TEST(OrpoLoss, LogOddsRatioIsThatOfTheProbabilities) {
  for_draws(200, [] {
    const auto w = uniform({5}, -5, -0.01), l = uniform({5}, -5, -0.01);
    const auto odds = [](const Tensor& x) { return x.exp() / (1 - x.exp()); };
    const auto r = orpo_loss(w, l, -w);
    expect_close(r.log_odds_ratio, (odds(w) / odds(l)).log());
    expect_close(orpo_loss(w, l, -w, {.lam = 0}).losses, -w);
  });
}

TEST(OrpoLoss, RefusesProbabilitiesOfOne) {
  const auto x = -at::ones({2}, at::kDouble);
  expect_error(ErrorKind::value, "rejected_avg_logps", [&] { orpo_loss(x, x + 1, x); });
}

TEST(Log1mexp, IsAccurateOverThirtyOrdersOfMagnitude) {
  // Near 0, log(1 - exp x) = log(-x) + x/2 + O(x^2); far below it is -exp x.
  const auto tiny = -at::tensor({1e-30, 1e-16, 1e-9});
  expect_close(log1mexp(tiny), at::log(-tiny) + tiny / 2, 1e-14);
  const auto far = at::tensor({-40.0, -100.0, -700.0});
  EXPECT_TRUE(at::allclose(log1mexp(far), -at::exp(far), 1e-12, 0));
  for (const auto& grad :
       gradients([](const auto& x) { return log1mexp(x[0]).sum(); }, {at::cat({tiny, far})}))
    EXPECT_TRUE(at::isfinite(grad).all().item<bool>());
}

}  // namespace
}  // namespace plaudit
