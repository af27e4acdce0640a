// sqirl, smore, archer, triplet: small regressions of control pages.
#include "plaudit/objective/archer.h"
#include "plaudit/objective/smore.h"
#include "plaudit/objective/sqirl.h"
#include "plaudit/objective/triplet.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Sqirl, GradientsAndDoneRows) {
  for_draws(100, [] {
    const auto q = normal({3, 2, 4}), targets = normal({3, 2});
    const auto actions = at::randint(0, 4, {3}, at::kLong);
    for (const bool huber : {false, true})
      expect_gradient([&](const auto& x) { return sqirl_loss(x[0], actions, targets, huber); }, {q});
    const auto r = normal({3}), g = normal({3});
    expect_close(sqirl_targets(r, at::ones({3}), g, {.next_q = q}).select(1, 1), r);
  });
  expect_error(ErrorKind::value, "actions", [] {
    sqirl_loss(at::ones({1, 1, 2}), at::full({1}, 2, at::kLong), at::ones({1, 1}));
  });
}

TEST(Sqirl, OneBackupOnOneVisitedPathIsTheReturn) {
  const auto states = at::tensor({0, 1, 2}).view({1, 3}), actions = at::tensor({0, 0}).view({1, 2});
  const auto rewards = at::tensor({1.0, 2.0}, at::kDouble).view({1, 2});
  for (const int64_t k : {1, 2, 5}) {
    const auto q = sqirl_q_tabular(states, actions, rewards, {0, k, 3, 1, 0.5});
    EXPECT_NEAR(q[0][0].item<double>(), 2, 1e-12);
    EXPECT_EQ(q[2][0].item<double>(), -1e9);
  }
}

TEST(Smore, Gradients) {
  for_draws(100, [] {
    const auto goal = normal({2, 3}), mix = normal({2, 4}), next = normal({4}), q = normal({2, 4});
    expect_gradient([&](const auto& x) { return smore_score_loss(x[0], x[1], next).loss; }, {goal, mix});
    expect_gradient([&](const auto& x) { return smore_stable_loss(x[0], x[1], next, {.gamma = 0.5}).loss; },
                    {goal, mix});
    expect_gradient([&](const auto& x) { return smore_value_loss(q, x[0]); }, {next});
  });
  expect_error(ErrorKind::value, "gamma", [] {
    smore_stable_loss(at::ones({1, 1}), at::ones({1, 1}), at::ones({1}), {.gamma = 1});
  });
}

TEST(Archer, TheBaselineShiftsTheWeightAndPaddingIsNeverRead) {
  for_draws(100, [] {
    const auto mask = random_mask(3, 4);
    const auto logps = normal({3, 4}), a = normal({3}), b = normal({3, 4});
    const auto dirty = logps.masked_fill(mask.eq(0), std::nan(""));
    expect_close(archer_actor_loss(dirty, mask, a).loss, archer_actor_loss(logps, mask, a).loss);
    const auto zero = archer_actor_loss(logps, mask, a, a.unsqueeze(1).expand({3, 4}));
    expect_close(zero.loss, at::zeros({}, at::kDouble));
    expect_close(zero.baseline_loss, at::zeros({}, at::kDouble));
    const auto grad =
        gradients([&](const auto& x) { return archer_actor_loss(x[0], mask, a, b).loss; }, {dirty})[0];
    EXPECT_TRUE(at::isfinite(grad).all().item<bool>());
  });
  expect_error(ErrorKind::shape, "advantages", [] {
    archer_actor_loss(at::zeros({2, 2}), at::ones({2, 2}), at::ones({1}));
  });
}

TEST(Triplet, GradientsAndTranslation) {
  for_draws(100, [] {
    const auto anchor = normal({3}), p = normal({4, 3}), n = normal({4, 3}), shift = normal({3});
    const auto loss = triplet_loss(anchor, p, n);
    expect_close(triplet_loss(anchor + shift, p + shift, n + shift).loss, loss.loss);
    expect_gradient([](const auto& x) { return triplet_loss(x[0], x[1], x[2], {.margin = 10}).loss; },
                    {anchor, p, n});
    expect_gradient([](const auto& x) { return unit_norm_penalty(x[0]); }, {p});
  });
  const auto at_zero =
      gradients([](const auto& x) { return unit_norm_penalty(x[0]); }, {at::zeros({1, 2}, at::kDouble)})[0];
  EXPECT_TRUE(at::isfinite(at_zero).all().item<bool>());
}

}  // namespace
}  // namespace plaudit
