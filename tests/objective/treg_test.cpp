#include "plaudit/objective/treg.h"

#include "plaudit/objective/preference_dpo.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TokenAnswers random_answers(int64_t b, int64_t t) {
  return {-normal({b, t}).abs(), -normal({b, t}).abs(), random_mask(b, t), uniform({b, t}, -0.5, 0.5)};
}

Tensor total(const Tensor& x, const Tensor& mask) {
  return at::where(mask.ne(0), x, 0.0).sum(1);
}

TEST(ContrastTokenRewards, LieInTheHalfIntervalAndChangeSignWithThePrompts) {
  for_draws(200, [] {
    const int64_t b = integer(1, 3), t = integer(1, 5);
    const auto better = normal({b, t}, 50), worse = normal({b, t}, 50), mask = random_mask(b, t);
    const auto r = contrast_token_rewards(better, worse, mask);
    EXPECT_LE(r.abs().max().item<double>(), 0.5);
    expect_close(contrast_token_rewards(worse, better, mask), -r);
    expect_close(r, at::where(mask.ne(0), at::sigmoid(better - worse) - 0.5, 0.0));
  });
}

TEST(Treg, WithoutAlphaIsDpo) {
  for_draws(200, [] {
    const int64_t b = integer(1, 4);
    const auto w = random_answers(b, integer(1, 4)), l = random_answers(b, integer(1, 5));
    const auto r = treg_loss(w, l, {.beta = 0.3, .alpha = 0});
    const auto dpo = dpo_loss({total(w.logps, w.mask), total(l.logps, l.mask), total(w.ref_logps, w.mask),
                               total(l.ref_logps, l.mask)},
                              {.beta = 0.3});
    expect_close(r.losses, dpo.losses);
  });
}

// dL/dlog pi(y_t) = -beta w (1 + alpha reward_t)/B for the chosen and beta w (1 - alpha reward_t)/B for the
// rejected answer.
TEST(Treg, ReweighsTheTokensOfDposGradient) {
  for_draws(100, [] {
    const int64_t b = integer(1, 3), t = integer(1, 4);
    const auto w = random_answers(b, t), l = random_answers(b, t);
    const TregOptions options = {.beta = 0.3, .alpha = 0.5};
    const auto grads = gradients(
        [&](const auto& x) {
          return treg_loss({x[0], w.ref_logps, w.mask, w.token_rewards},
                           {x[1], l.ref_logps, l.mask, l.token_rewards}, options)
              .loss;
        },
        {w.logps, l.logps});
    const auto scale = 0.3 * treg_loss(w, l, options).weights.unsqueeze(1) / static_cast<double>(b);
    expect_close(grads[0], at::where(w.mask.ne(0), -scale * (1 + 0.5 * w.token_rewards), 0.0));
    expect_close(grads[1], at::where(l.mask.ne(0), scale * (1 - 0.5 * l.token_rewards), 0.0));
  });
}

TEST(Treg, SimpoNeverReadsTheReference) {
  auto w = random_answers(3, 4), l = random_answers(3, 2);
  const TregOptions options = {.beta = 2, .base = "simpo"};
  const auto before = treg_loss(w, l, options);
  w.ref_logps = w.ref_logps + NAN;
  expect_close(treg_loss(w, l, options).losses, before.losses);
  expect_error(ErrorKind::nan, "ref_chosen_logps", [&] { treg_loss(w, l); });
  w.mask = at::zeros_like(w.mask);
  expect_error(ErrorKind::empty, "chosen_mask", [&] { treg_loss(w, l, options); });
  expect_error(ErrorKind::value, "base", [&] { treg_loss(l, l, {.base = "ipo"}); });
}

}  // namespace
}  // namespace plaudit
