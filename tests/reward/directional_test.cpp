#include "plaudit/reward/directional.h"

#include "plaudit/reward/ensemble.h"
#include "plaudit/reward/fusion.h"
#include "plaudit/reward/length_terms.h"
#include "plaudit/reward/relevance.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(MultiObjectiveMse, GradientMatchesFiniteDifferencesAndTheMaskHides) {
  for_draws(50, [] {
    const auto targets = normal({3, 2});
    auto mask = at::randint(0, 2, {3, 2}, at::kLong);
    mask[0][0] = 1;
    const auto loss = [&](const std::vector<Tensor>& x) {
      return multi_objective_mse(x[0], at::where(mask.ne(0), targets, NAN), mask).loss;
    };
    expect_gradient(loss, {normal({3, 2})});
  });
  const auto x = at::zeros({1, 2}, at::kDouble);
  expect_error(ErrorKind::empty, "target_mask", [&] { multi_objective_mse(x, x, x); });
}

TEST(Directional, BestOfNMaximisesTheReward) {
  for_draws(200, [] {
    const int64_t b = integer(1, 3), n = integer(1, 5);
    const auto rewards = normal({b, n, 2});
    const auto v = direction_from_angle(uniform({b}, -180, 180)).direction;
    const auto best = directional_best_of_n(rewards, v);
    expect_close(best.score, directional_reward(rewards, v).amax(1));
    expect_close(v.norm(2, {1}), at::ones({b}, at::kDouble));
  });
  const auto r = normal({1, 2});
  expect_error(ErrorKind::value, "direction", [&] { directional_reward(r, at::ones({2})); });
  expect_error(ErrorKind::shape, "direction", [&] { directional_reward(r, at::ones({3})); });
  expect_error(ErrorKind::value, "scale", [&] { rescale_attributes(r, 0); });
}

TEST(EnsembleAggregate, OrdersItsModes) {
  for_draws(200, [] {
    const auto r = normal({integer(2, 5), 4});
    const auto mean = ensemble_aggregate(r), worst = ensemble_aggregate(r, {.mode = "worst"});
    const auto cautious = ensemble_aggregate(r, {.mode = "uncertainty", .weight = 0.7});
    EXPECT_TRUE(worst.rewards.le(mean.rewards).all().item<bool>());
    expect_close(cautious.rewards, mean.rewards - 0.7 * mean.variance);
    const auto members = static_cast<double>(r.size(0));
    expect_close(ensemble_aggregate(r, {.unbiased = true}).variance, mean.variance * members / (members - 1));
  });
  expect_error(ErrorKind::value, "unbiased", [] {
    ensemble_aggregate(at::ones({1, 2}), {.unbiased = true});
  });
  expect_error(ErrorKind::value, "weight", [] { ensemble_aggregate(at::ones({1, 2}), {.weight = -1}); });
}

TEST(RewardFusion, LiesBetweenTheRewardAndItsNeighbours) {
  for_draws(200, [] {
    const auto r = normal({3}), near = normal({3, 4}), s = uniform({3, 4}, 0.5, 1);
    const auto fused = reward_fusion(r, near, s, {.top_k = 3, .threshold = 0.7});
    const auto all = at::cat({r.unsqueeze(1), near}, 1);
    EXPECT_TRUE(fused.ge(all.amin(1) - 1e-12).logical_and(fused.le(all.amax(1) + 1e-12)).all().item<bool>());
    expect_close(reward_fusion(r, near, s, {.top_k = 0}), r);
  });
  const auto x = at::zeros({1}, at::kDouble), none = at::zeros({1, 0}, at::kDouble);
  expect_close(reward_fusion(x, none, none), x);
  expect_error(ErrorKind::value, "top_k", [&] { reward_fusion(x, none, none, {.top_k = -1}); });
}

TEST(R3, ReadsOnlyTheBranchOfTheQuery) {
  for_draws(200, [] {
    const ResponseTerms x = {normal({4}), normal({4}), uniform({4}), uniform({4}), at::randint(0, 2, {4})};
    const RangeMap map = {-1, 1, 0, 3};
    const auto open = x.relevance_query * x.length * x.repetition;
    const auto closed = interpolate(x.relevance_reference, map) * x.repetition;
    expect_close(r3_reward(x, map), at::where(x.open_ended.ne(0), open, closed));
    expect_close(r3_reward(x, map, {}), x.relevance_query);
  });
  const auto one = at::ones({1}, at::kDouble);
  expect_error(ErrorKind::value, "terms", [&] {
    r3_reward({one, one, one, one, one}, {0, 1, 0, 1}, {"len"});
  });
  expect_error(ErrorKind::value, "repetition", [&] {
    r3_reward({one, one, one, one + 1, one}, {0, 1, 0, 1});
  });
  expect_error(ErrorKind::value, "src_high", [&] { interpolate(one, {1, 1, 0, 1}); });
}

TEST(Relevance, CosinesDoNotDependOnScaleAndHaveTheRightGradient) {
  for_draws(100, [] {
    const auto q = normal({2, 3}), r = normal({2, 3});
    expect_close(relevance(q * 7, r * 0.2, true), relevance(q, r, true));
    expect_gradient([](const auto& x) { return relevance(x[0], x[1], true).sum(); }, {q, r});
  });
}

TEST(LengthTerms, SaturateAndRefuse) {
  const auto s = at::zeros({2}, at::kDouble), lengths = at::tensor({900, 1000}, at::kLong);
  expect_close(salmon_terminal(s, lengths, s + 1, {.max_length = 1000}), at::full({2}, 4.0, at::kDouble));
  expect_error(ErrorKind::value, "lengths", [&] { salmon_terminal(s, lengths, s, {.max_length = 950}); });
  expect_error(ErrorKind::value, "lengths", [&] { length_penalty(s, s, 1); });
}

}  // namespace
}  // namespace plaudit
