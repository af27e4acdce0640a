#include "plaudit/objective/preference_game.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

Tensor random_preference(int64_t n) {
  const auto upper = uniform({n, n}).triu(1);
  return upper + (1 - upper.t()).tril(-1) + 0.5 * at::eye(n, at::kDouble);
}

Tensor random_law(int64_t n) {
  return at::softmax(normal({n}), 0);
}

TEST(SrpoTabular, RowsAreLawsAndIgnoreTheData) {
  for_draws(200, [] {
    const int64_t n = integer(1, 6);
    const auto r = srpo_tabular(random_preference(n), at::log_softmax(normal({n}), 0),
                                at::log_softmax(normal({n, n}), 1), 0.02);
    expect_close(r.imp_logps.exp().sum(1), at::ones({n}, at::kDouble));
    expect_close(r.logps.exp().sum(), at::ones({}, at::kDouble));
  });
}

TEST(ExpectedWinRate, OfAPolicyAgainstItselfIsOneHalf) {
  for_draws(200, [] {
    const int64_t n = integer(1, 6);
    const auto p = random_preference(n), a = random_law(n), b = random_law(n);
    expect_close(expected_win_rate(a, a, p), at::full({}, 0.5, at::kDouble));
    expect_close(expected_win_rate(a, b, p), 1 - expected_win_rate(b, a, p));
  });
}

TEST(NashGap, IsTheBestPureAnswer) {
  for_draws(200, [] {
    const int64_t n = integer(1, 6);
    const auto p = random_preference(n), policy = random_law(n);
    const auto r = nash_gap(p, policy);
    EXPECT_GE(r.gap.item<double>(), -1e-12);
    const auto best = at::one_hot(r.best_response, n).to(at::kDouble);
    expect_close(expected_win_rate(best, policy, p), r.gap + 0.5);
  });
}

TEST(RevisionDistribution, KeepsTheMass) {
  for_draws(100, [] {
    const int64_t n = integer(1, 5), steps = integer(0, 6);
    const auto r = revision_distribution(random_law(n), at::softmax(normal({n, n}), 1), steps);
    EXPECT_EQ(r.size(0), steps + 1);
    expect_close(r.sum(1), at::ones({steps + 1}, at::kDouble));
  });
}

TEST(WinRateRewards, IgnoreTheDiagonal) {
  for_draws(200, [] {
    const int64_t b = integer(1, 3), k = integer(2, 5);
    const auto p = uniform({b, k, k});
    const auto hidden = at::where(at::eye(k, at::kBool), at::full({}, NAN, at::kDouble), p);
    expect_close(win_rate_rewards(hidden), win_rate_rewards(p));
    const auto n = static_cast<double>(k);
    expect_close(win_rate_rewards(p, true), (win_rate_rewards(p) * (n - 1) + 0.5) / n);
  });
}

TEST(PreferenceGame, ErrorsNameTheArgument) {
  const auto p = random_preference(3), law = random_law(3);
  expect_error(ErrorKind::shape, "preference", [&] { nash_gap(p.slice(1, 1), law); });
  expect_error(ErrorKind::value, "preference", [&] { nash_gap(p + 0.01, law); });
  expect_error(ErrorKind::value, "policy", [&] { nash_gap(p, law * 2); });
  expect_error(ErrorKind::value, "tau", [&] { ipo_tabular(p, law, law.log(), 0); });
  expect_error(ErrorKind::value, "improve", [&] { revision_distribution(law, p, 1); });
  expect_error(ErrorKind::empty, "preference", [&] { win_rate_rewards(at::zeros({2, 1, 1})); });
}

}  // namespace
}  // namespace plaudit
