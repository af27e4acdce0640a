#include "plaudit/objective/inverse_q.h"

#include <torch/csrc/autograd/autograd.h>

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

TEST(InverseQ, WithoutTheSquareItIsCrossEntropyToTheGradient) {
  for_draws(50, [] {
    auto c = random_choices();
    c.logits.set_requires_grad(true);
    const auto mask = c.mask.to(at::kBool);
    const auto plain = at::cross_entropy_loss(c.logits.index({mask}), c.actions.index({mask}));
    const auto gradient = [&](const Tensor& loss) { return torch::autograd::grad({loss}, {c.logits})[0]; };
    const auto loss = iq_td_mle_loss(c, {.lam = 0}).loss;
    expect_close(loss, plain, 1e-12);
    expect_close(gradient(loss), gradient(plain), 1e-12);
  });
}

// The loss word by word, with the three mistakes that page 12 warns of.
struct TdMistakes {
  double sign = 1;       // of the next value
  bool stop = false;     // its gradient
  bool terminal = true;  // the value after a terminal word is 0; or it has no term at all
};
Tensor td_by_hand(const TokenChoices& c, double lam, const TdMistakes& mistakes) {
  auto nll = at::zeros({}, at::kDouble), td = at::zeros({}, at::kDouble);
  int64_t words = 0;
  for (int64_t b = 0; b < c.mask.size(0); ++b) {
    const auto length = c.mask[b].sum().item<int64_t>();
    words += length;
    for (int64_t t = 0; t < length; ++t) {
      const auto q = c.logits[b][t][c.actions[b][t].item<int64_t>()], v = c.logits[b][t].logsumexp(0);
      nll = nll + v - q;
      const bool last = t + 1 == length;
      if (last && (c.terminal[b].item<int64_t>() == 0 || !mistakes.terminal)) continue;
      auto next = last ? at::zeros({}, at::kDouble) : c.logits[b][t + 1].logsumexp(0);
      if (mistakes.stop) next = next.detach();
      td = td + (q - mistakes.sign * next).square();
    }
  }
  return (nll + lam * td) / static_cast<double>(words);
}

TEST(InverseQ, EachOfItsKnownMistakesIsAnotherLossOrGradient) {
  auto c = random_choices();
  c.terminal = at::ones({2}, at::kLong);
  c.mask = at::tensor({1, 1, 1, 1, 1, 0}, at::kLong).view({2, 3});
  c.logits.set_requires_grad(true);
  const auto gradient = [&](const Tensor& loss) { return torch::autograd::grad({loss}, {c.logits})[0]; };
  const auto loss = iq_td_mle_loss(c, {.lam = 0.3}).loss, right = gradient(loss);
  expect_close(loss, td_by_hand(c, 0.3, {}), 1e-12);
  expect_close(right, gradient(td_by_hand(c, 0.3, {})), 1e-12);
  for (const auto& mistake :
       {TdMistakes{.sign = -1}, TdMistakes{.stop = true}, TdMistakes{.terminal = false}}) {
    const auto wrong = td_by_hand(c, 0.3, mistake);
    EXPECT_GT((gradient(wrong) - right).abs().max().item<double>(), 1e-3);
    if (!mistake.stop) EXPECT_GT((wrong - loss).abs().item<double>(), 1e-3);
  }
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
