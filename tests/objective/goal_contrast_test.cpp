#include "plaudit/objective/goal_contrast.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(GoalSampleIndices, GoalsAreNotEarlierThanTheirSourcesAndLieInTheResponse) {
  for_draws(300, [] {
    const int64_t b = integer(1, 4), s = integer(1, 5), length = integer(2, 12);
    const auto actions = at::randint(1, length, {b}, at::kLong);
    const double percentile = uniform({}).item<double>();
    const auto r = goal_sample_indices(uniform({b, 2, s}), actions, length, {percentile, percentile});
    EXPECT_TRUE(r.goal.ge(r.source).all().item<bool>());
    EXPECT_GE(r.source.min().item<int64_t>(), 0);
    EXPECT_LT(r.goal.max().item<int64_t>(), length);
    // At most num_actions + 1 steps from the end: the response and the token before it.
    EXPECT_TRUE(r.source.ge(length - actions.unsqueeze(1) - 1).all().item<bool>());
  });
}

TEST(GoalConditionedLoss, DoesNotDependOnTheScaleOfTheStates) {
  for_draws(100, [] {
    const int64_t b = integer(1, 3), s = integer(1, 3), t = integer(1, 4);
    const auto index = [&] { return at::randint(0, t, {b, s}, at::kLong); };
    const GoalColumns columns = {index(), index(), index(), index()};
    const auto chosen = normal({b, t, 3}), rejected = normal({b, t, 3});
    for (const auto* reduction : {"log_of_mean", "mean_of_log"}) {
      for (const auto* pairing : {"all", "matched"}) {
        const GoalLossOptions options = {.reduction = reduction, .pairing = pairing};
        const auto loss = [&](const std::vector<Tensor>& x) {
          return goal_conditioned_loss(x[0], x[1], columns, options).loss;
        };
        expect_close(loss({chosen * 5, rejected * 0.1}), loss({chosen, rejected}));
        expect_gradient(loss, {chosen, rejected}, 1e-4);
      }
    }
  });
}

TEST(GoalContrast, ErrorsNameTheArgument) {
  const auto u = uniform({1, 2, 2});
  const auto actions = at::tensor({3}, at::kLong);
  expect_error(ErrorKind::value, "uniform", [&] { goal_sample_indices(u + 1, actions, 4); });
  expect_error(ErrorKind::value, "num_actions", [&] { goal_sample_indices(u, actions * -1, 4); });
  expect_error(ErrorKind::value, "goal_percentile", [&] { goal_sample_indices(u, actions, 4, {0, 2}); });
  const auto h = normal({1, 2, 3});
  const auto index = at::zeros({1, 2}, at::kLong);
  expect_error(ErrorKind::value, "negative", [&] {
    goal_conditioned_loss(h, h, {index, index, index, index + 2});
  });
  expect_error(ErrorKind::shape, "rejected_hidden", [&] {
    goal_conditioned_loss(h, normal({1, 2, 4}), {index, index, index, index});
  });
}

}  // namespace
}  // namespace plaudit
