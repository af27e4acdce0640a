#include "plaudit/objective/inverse_q.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TokenChoices random_choices(int64_t rows = 2, int64_t steps = 3, int64_t words = 4) {
  return {normal({rows, steps, words}), at::randint(0, words, {rows, steps}, at::kLong),
          random_mask(rows, steps), at::randint(0, 2, {rows}, at::kLong)};
}

TEST(InverseQ, RewardsOfATerminalRowSumToItsLikelihoodAndFirstValue) {
  for_draws(200, [] {
    auto c = random_choices();
    c.terminal = at::ones({2}, at::kLong);
    const auto r = iq_rewards(c);
    const auto logp = (r.q - r.v).sum(1);
    expect_close(r.rewards.sum(1), logp + r.v.select(1, 0));
  });
}

TEST(InverseQ, WithoutTheSquareItIsMaximumLikelihood) {
  for_draws(100, [] {
    const auto c = random_choices();
    const auto loss = iq_td_mle_loss(c, {.lam = 0});
    expect_close(loss.loss, loss.nll);
    // A constant added to the logits of a state leaves the likelihood alone.
    const TokenChoices moved{c.logits + normal({2, 3, 1}), c.actions, c.mask, c.terminal};
    expect_close(iq_td_mle_loss(moved, {.lam = 0}).nll, loss.nll);
    expect_gradient(
        [&](const auto& x) {
          return iq_td_mle_loss({x[0], c.actions, c.mask, c.terminal}, {0.2, 0.9}).loss;
        },
        {c.logits});
  });
}

TEST(InverseQ, OnlineWithoutMixEqualsOfflineOnTerminalRows) {
  for_draws(100, [] {
    auto c = random_choices();
    c.terminal = at::ones({2}, at::kLong);
    const auto online =
        iq_online_loss(c, {normal({1, 2, 4}), at::ones({1, 2}), at::ones({1})}, {0.1, 0.9, 0});
    expect_close(online.loss, iq_td_mle_loss(c, {0.1, 0.9}).loss);
  });
}

TEST(InverseQ, ErrorsNameTheArgument) {
  auto c = random_choices();
  expect_error(ErrorKind::value, "gamma", [&] { iq_rewards(c, 0); });
  expect_error(ErrorKind::value, "lam", [&] { iq_td_mle_loss(c, {.lam = -1}); });
  c.actions = c.actions + 9;
  expect_error(ErrorKind::value, "actions", [&] { iq_rewards(c); });
}

}  // namespace
}  // namespace plaudit
