#include "plaudit/objective/group_advantage.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(GroupAdvantages, EqualTheLoopOverGroups) {
  for_draws(200, [] {
    const int64_t n = integer(1, 20);
    const auto rewards = normal({n}), group = at::randint(-3, 4, {n}, at::kLong);
    const auto relative = group_relative(rewards, group), others = leave_one_out(rewards, group);
    for (int64_t i = 0; i < n; ++i) {
      const auto members = rewards.masked_select(group.eq(group[i]));
      const double r = rewards[i].item<double>(), size = static_cast<double>(members.numel());
      if (size == 1) {
        EXPECT_EQ(relative[i].item<double>(), 0);
        EXPECT_EQ(others[i].item<double>(), 0);
        continue;
      }
      EXPECT_NEAR(relative[i].item<double>(),
                  (r - members.mean().item<double>()) / (members.std().item<double>() + 1e-4), 1e-8);
      EXPECT_NEAR(others[i].item<double>(), r - (members.sum().item<double>() - r) / (size - 1), 1e-9);
    }
  });
}

TEST(GroupAdvantages, SumToZeroAndFollowThePermutation) {
  for_draws(200, [] {
    const int64_t n = integer(2, 16);
    const auto rewards = normal({n}), group = at::randint(0, 3, {n}, at::kLong), order = at::randperm(n);
    for (const bool normalize : {true, false}) {
      const auto a = group_relative(rewards, group, {.normalize_std = normalize});
      EXPECT_NEAR(a.sum().item<double>(), 0, 1e-8);
      expect_close(group_relative(rewards.index_select(0, order), group.index_select(0, order),
                                  {.normalize_std = normalize}),
                   a.index_select(0, order));
    }
  });
}

TEST(GroupAdvantages, EqualRewardsGiveZeroEvenWithoutEps) {
  const auto a = group_relative(at::full({4}, 2.0), at::zeros({4}, at::kLong), {.eps = 0});
  expect_close(a, at::zeros({4}));
}

TEST(GroupAdvantages, ErrorsNameTheArgument) {
  const auto r = at::zeros({2});
  expect_error(ErrorKind::type, "group", [&] { leave_one_out(r, at::zeros({2})); });
  expect_error(ErrorKind::value, "eps", [&] { group_relative(r, at::zeros({2}, at::kLong), {.eps = -1}); });
}

}  // namespace
}  // namespace plaudit
