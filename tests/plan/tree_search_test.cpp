#include "plaudit/plan/tree_search.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// A binary tree of depth two: states 3 to 6 are its leaves.
SearchTable small_tree(const Tensor& value) {
  return {at::tensor({1, 2, 3, 4, 5, 6, 3, 3, 4, 4, 5, 5, 6, 6}, at::kLong).view({7, 2}),
          at::tensor({0, 0, 0, 1, 1, 1, 1}, at::kLong), value, at::full({7, 2}, 0.5, at::kDouble)};
}

TEST(TreeSearch, FindsTheBestLeafWithEnoughRollouts) {
  for_draws(100, [] {
    const auto value = uniform({7});
    const auto r =
        mcts_search(small_tree(value),
                    {.rollouts = 400, .uct = {.kind = "uct", .c = 2}, .gamma = 1, .final_mode = "best"});
    // A first visit also sees the estimate of the inner state, hence the best of three values per side.
    const auto best = [&](int64_t inner, int64_t leaf) {
      return value.index_select(0, at::tensor({inner, leaf, leaf + 1}, at::kLong)).max().item<double>();
    };
    EXPECT_EQ(r.action, best(1, 3) >= best(2, 5) ? 0 : 1);
    EXPECT_EQ(r.counts.sum().item<int64_t>(), 400);
  });
}

TEST(UctScores, ExplorationShrinksWithVisitsAndGrowsWithThePrior) {
  for_draws(100, [] {
    const auto zero = at::zeros({2}, at::kDouble);
    const int64_t visits = integer(2, 50);
    for (const auto* kind : {"uct", "p_uct", "var_p_uct"}) {
      const auto r = uct_scores(zero, zero + 0.5, at::tensor({1, 4}, at::kLong), visits, {.kind = kind});
      EXPECT_GT(r[0].item<double>(), r[1].item<double>());
    }
    const auto r = uct_scores(zero, at::tensor({0.2, 0.8}, at::kDouble), zero, visits);
    EXPECT_LT(r[0].item<double>(), r[1].item<double>());
  });
}

TEST(TreeSearch, ErrorsNameTheArgument) {
  const auto table = small_tree(at::zeros({7}, at::kDouble));
  expect_error(ErrorKind::value, "root", [&] { mcts_search(table, {.root = 3}); });
  expect_error(ErrorKind::value, "rollouts", [&] { mcts_search(table, {.rollouts = 0}); });
  auto wrong = table;
  wrong.next_state = table.next_state + 1;
  expect_error(ErrorKind::value, "next_state", [&] { mcts_search(wrong, {}); });
  const auto one = at::ones({1}, at::kDouble);
  expect_error(ErrorKind::value, "parent_visits", [&] { uct_scores(one, one, one, 0); });
}

}  // namespace
}  // namespace plaudit
