#include "plaudit/objective/reward_mixture.h"

#include "plaudit/objective/preference_bradley_terry.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

UserPairs random_pairs(int64_t groups, int64_t users, int64_t each) {
  const auto n = users * each;
  return {normal({groups, n}), normal({groups, n}), at::arange(n, at::kLong).remainder(users)};
}

TEST(EmAssign, ResponsibilitiesAreLawsThatTheHardOnesRound) {
  for_draws(200, [] {
    const int64_t g = integer(1, 4), u = integer(1, 4);
    const auto pairs = random_pairs(g, u, integer(1, 5));
    const auto soft = em_assign(pairs, u, {.hard = false}), hard = em_assign(pairs, u);
    expect_close(soft.responsibility.sum(1), at::ones({u}, at::kDouble));
    EXPECT_TRUE(soft.responsibility.argmax(1).equal(hard.assignment));
    EXPECT_TRUE(hard.responsibility.argmax(1).equal(hard.assignment));
  });
}

TEST(EmAssign, DoesNotUnderflowForAUserOfManyPairs) {
  const auto pairs = UserPairs{at::full({2, 5000}, -3.0, at::kDouble), at::zeros({2, 5000}, at::kDouble),
                               at::zeros({5000}, at::kLong)};
  EXPECT_TRUE(at::isfinite(em_assign(pairs, 1, {.hard = false}).responsibility).all().item<bool>());
}

TEST(MixtureLoss, WithOneGroupIsBradleyTerryAndHasTheRightGradient) {
  for_draws(50, [] {
    const int64_t g = integer(1, 3), u = integer(1, 3);
    const auto pairs = random_pairs(g, u, 2);
    const auto weights = uniform({u, g});
    expect_gradient(
        [&](const auto& x) {
          return mixture_loss({x[0], x[1], pairs.user}, weights).loss;
        },
        {pairs.chosen_rewards, pairs.rejected_rewards});
    const auto first = [](const Tensor& x) { return x.slice(0, 0, 1); };
    const UserPairs one = {first(pairs.chosen_rewards), first(pairs.rejected_rewards), pairs.user};
    expect_close(mixture_loss(one, at::ones({u, 1}, at::kDouble)).loss,
                 bradley_terry_loss(one.chosen_rewards[0], one.rejected_rewards[0]).loss);
  });
}

TEST(Maxmin, SampleLevelIsNeverAboveBatchLevel) {
  for_draws(200, [] {
    const auto rewards = normal({5, 3});
    const auto batch = maxmin_reward(rewards), sample = maxmin_reward(rewards, {.level = "sample"});
    EXPECT_TRUE(sample.selected.le(batch.selected).all().item<bool>());
    expect_close(batch.selected.mean(), batch.utility.min());
  });
}

TEST(RewardMixture, ErrorsNameTheArgument) {
  const auto pairs = random_pairs(2, 2, 2);
  expect_error(ErrorKind::empty, "user", [&] { em_assign(pairs, 3); });
  expect_error(ErrorKind::value, "user", [&] { em_assign(pairs, 1); });
  expect_error(ErrorKind::shape, "responsibility", [&] { mixture_loss(pairs, at::ones({2, 3})); });
  expect_error(ErrorKind::value, "level", [] { maxmin_reward(at::zeros({1, 1}), {.level = "token"}); });
}

}  // namespace
}  // namespace plaudit
