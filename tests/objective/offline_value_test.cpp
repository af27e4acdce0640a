#include "plaudit/objective/offline_value.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Expectile, AtOneHalfIsHalfTheSquareAndItsMinimiserLeansToTau) {
  for_draws(200, [] {
    const auto d = normal({integer(1, 9)});
    expect_close(expectile_loss(d, 0.5).loss, d.square().mean() / 2);
    const double tau = uniform({}, 0.05, 0.95).item<double>();
    expect_close(expectile_loss(d, tau).loss + expectile_loss(-d, tau).loss, d.square().mean());
    expect_gradient([&](const auto& x) { return expectile_loss(x[0], tau).loss; }, {d});
  });
}

TEST(HuberSigma, IsContinuousAndBetweenItsTwoBranches) {
  for_draws(200, [] {
    const auto d = normal({integer(1, 9)}, 3);
    const double sigma = uniform({}, 0.2, 4).item<double>();
    const auto loss = huber_sigma_loss(d, sigma).elementwise;
    EXPECT_LE((loss - d.abs()).max().item<double>(), 1e-12);
    EXPECT_LE((loss - sigma * sigma * d.square() / 2).max().item<double>(), 1e-12);
    expect_gradient([&](const auto& x) { return huber_sigma_loss(x[0], sigma).loss; }, {d});
  });
  EXPECT_TRUE(std::isfinite(huber_sigma_loss(at::full({1}, 1e300, at::kDouble)).loss.item<double>()));
}

TEST(QuantileQ, EqualsTheLibraryAndIgnoresTheOrderOfCritics) {
  for_draws(200, [] {
    const int64_t critics = integer(1, 6);
    const auto q = normal({critics, 4});
    const double alpha = uniform({}).item<double>();
    expect_close(quantile_q(q, alpha), at::quantile(q, alpha, 0));
    expect_close(quantile_q(q.index_select(0, at::randperm(critics)), alpha), quantile_q(q, alpha));
    expect_close(quantile_q(q, 0), q.amin(0));
    expect_close(quantile_q(q, 1), q.amax(0));
  });
}

TEST(RiqlLoss, PullsOnlyTheCriticsToClippedTargets) {
  for_draws(100, [] {
    const auto q = normal({3, 4}), r = normal({4}, 500), v = normal({4}), done = at::randint(0, 2, {4});
    const auto loss = riql_q_loss(q, r, done, v);
    EXPECT_GE(loss.targets.min().item<double>(), -100);
    EXPECT_LE(loss.targets.max().item<double>(), 1000);
    expect_gradient([&](const auto& x) { return riql_q_loss(x[0], r, done, v).loss; }, {q});
  });
}

TEST(OfflineValue, ErrorsNameTheArgument) {
  const auto x = at::ones({2}, at::kDouble);
  expect_error(ErrorKind::value, "tau", [&] { expectile_loss(x, 1); });
  expect_error(ErrorKind::empty, "diff", [&] { huber_sigma_loss(at::zeros({0})); });
  expect_error(ErrorKind::nan, "next_values", [&] { td_target(x, x, x / 0); });
  expect_error(ErrorKind::value, "gamma", [&] { td_target(x, x, x, {.gamma = 1.5}); });
  expect_error(ErrorKind::value, "target_min",
               [&] { td_target(x, x, x, {.target_min = 2, .target_max = 1}); });
}

}  // namespace
}  // namespace plaudit
