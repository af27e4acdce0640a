#include "plaudit/objective/vpo.h"

#include "plaudit/objective/kl_policy.h"
#include "plaudit/objective/preference_dpo.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Vpo, WithoutAlphaIsDpoAndTheModesMirrorEachOther) {
  for_draws(200, [] {
    const int64_t b = integer(1, 4), n = integer(1, 5);
    const PairLogps pair = {normal({b}, 5), normal({b}, 5), normal({b}, 5), normal({b}, 5)};
    const auto cal = normal({n}), ref = normal({n});
    const auto dpo = dpo_loss(pair).loss;
    expect_close(vpo_loss(pair, cal, ref, {.alpha = 0}).loss, dpo);
    const auto offline = vpo_loss(pair, cal, ref, {.alpha = 0.7});
    const auto online = vpo_loss(pair, cal, ref, {.alpha = 0.7, .mode = "online"});
    expect_close(offline.loss + online.loss, 2 * dpo);
  });
}

TEST(Vpo, TheValueIsThatOfTheOptimalPolicyWithCentredRewards) {
  for_draws(200, [] {
    const int64_t x = integer(1, 3), a = integer(2, 5);
    const double beta = 0.4;
    const auto ref = at::log_softmax(normal({x, a}), 1), cal = at::log_softmax(normal({x, a}), 1);
    const auto rewards = calibrate_shift(normal({x, a}), cal).rewards;
    const auto best = kl_optimal_policy(ref, rewards, beta);
    const auto value = kl_regularized_value(rewards, ref, beta).value;
    const auto by_policy = -beta * (cal.exp() * (best.logps - ref)).sum(1).mean();
    expect_close(value, by_policy);
  });
}

TEST(VpoRewardObjective, DoesNotSeeAShiftAndHasTheRightGradient) {
  for_draws(50, [] {
    const int64_t x = integer(1, 3), a = integer(2, 4), n = integer(1, 5);
    const auto ref = at::log_softmax(normal({x, a}), 1), cal = at::log_softmax(normal({x, a}), 1);
    const TablePairs pairs = {at::randint(0, x, {n}, at::kLong), at::randint(0, a, {n}, at::kLong),
                              at::randint(0, a, {n}, at::kLong), uniform({n})};
    const VpoOptions options = {.beta = 0.5, .alpha = 2, .mode = "online"};
    const auto rewards = normal({x, a});
    expect_close(vpo_reward_objective(rewards + 3, pairs, ref, cal, options, 4).loss,
                 vpo_reward_objective(rewards, pairs, ref, cal, options, 4).loss);
    expect_gradient([&](const auto& r) { return vpo_reward_objective(r[0], pairs, ref, cal, options).loss; },
                    {rewards});
  });
}

TEST(Vpo, ErrorsNameTheArgument) {
  const auto x = at::zeros({2}, at::kDouble), none = at::zeros({0}, at::kDouble);
  const PairLogps pair = {x, x, x, x};
  expect_error(ErrorKind::empty, "cal_logps", [&] { vpo_loss(pair, none, none); });
  expect_error(ErrorKind::value, "mode", [&] { vpo_loss(pair, x, x, {.mode = "both"}); });
  expect_error(ErrorKind::value, "alpha", [&] { vpo_loss(pair, x, x, {.alpha = -1}); });
  const auto table = at::zeros({2, 2}, at::kDouble);
  expect_error(ErrorKind::value, "prompt_weights", [&] { calibrate_shift(table, table, x); });
}

}  // namespace
}  // namespace plaudit
