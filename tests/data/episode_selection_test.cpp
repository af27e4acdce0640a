#include "plaudit/data/episode_selection.h"

#include "plaudit/data/corruption.h"
#include "plaudit/data/hindsight.h"
#include "plaudit/data/prefix_tree.h"
#include "plaudit/data/transitions.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(PriorityDraw, FollowsTheWeightsAndNeverTakesZero) {
  at::manual_seed(0);
  const auto p = at::tensor({0.0, 3.0, 0.0, 1.0, 0.0}, at::kDouble);
  const auto drawn = priority_draw(p, uniform({20000}));
  EXPECT_NEAR(drawn.eq(1).to(at::kDouble).mean().item<double>(), 0.75, 0.02);
  EXPECT_EQ(drawn.eq(1).logical_or(drawn.eq(3)).all().item<bool>(), true);
  EXPECT_EQ(priority_draw(p, at::tensor({0.0}, at::kDouble)).item<int64_t>(), 1);
  EXPECT_EQ(priority_draw(p, at::tensor({std::nextafter(1.0, 0.0)}, at::kDouble)).item<int64_t>(), 3);
  const auto last = at::tensor({0.9}, at::kDouble);
  EXPECT_EQ(priority_draw(at::tensor({5e-324, 0.0}, at::kDouble), last).item<int64_t>(), 0)
      << "rounded up to the total";
  EXPECT_EQ(priority_draw(at::tensor({1e308, 1e308}, at::kDouble), last).item<int64_t>(), 1)
      << "the total overflows";
}

TEST(Selection, TopFractionKeepsTheBest) {
  for_draws(200, [] {
    const auto returns = at::randint(0, 4, {integer(1, 12)}, at::kLong).to(at::kDouble);
    const auto top = top_fraction(returns, uniform({}, 0.05, 1).item<double>());
    auto rest = at::ones_like(returns).index_fill(0, top, 0).nonzero().squeeze(1);
    if (rest.numel())
      EXPECT_GE(returns.index_select(0, top).min().item<double>(),
                returns.index_select(0, rest).max().item<double>());
    const auto quantile = return_quantile(returns, 0.3);
    EXPECT_GE(quantile.indices.numel(), 1);
  });
  EXPECT_EQ(top_fraction(at::arange(100), 0.29).numel(), 29);
  // (1 - 0.7) * 10 rounds to a little more than 3, which must not lose a row.
  EXPECT_EQ(return_quantile(0.1 * at::arange(11, at::kDouble), 0.7).indices.numel(), 8);
}

TEST(Corruption, RateZeroAndOne) {
  for_draws(100, [] {
    const auto x = normal({5, 2}), u = uniform({5}), noise = uniform({5, 2});
    expect_close(corrupt_random(x, u, noise, "actions", {.rate = 0}).values, x);
    EXPECT_EQ(corrupt_random(x, u, noise, "actions", {.rate = 1}).selected.numel(), 5);
    const auto moved = (pgd_attack_linear(x, noise, normal({2}), {.range = 0.5}) - x).abs();
    EXPECT_LE((moved - 0.5 * x.std(0, false)).max().item<double>(), 1e-12);
  });
  // Deviations 2 and 0.5: the attack starts at 2 range std (u - 1/2) of them and moves by lr range a step.
  const auto x = at::tensor({2.0, 0.5, -2.0, -0.5}, at::kDouble).view({2, 2});
  const auto start = pgd_attack_linear(x, at::full({2, 2}, 0.75, at::kDouble), at::ones({2}), {0.4, 0, 0.1});
  expect_close(start - x, at::tensor({0.8, 0.05, 0.8, 0.05}, at::kDouble).view({2, 2}));
  const auto moved = pgd_attack_linear(x, at::full({2, 2}, 0.5, at::kDouble), at::ones({2}), {0.4, 3, 0.1});
  expect_close(moved - x, at::tensor({-0.24, -0.06, -0.24, -0.06}, at::kDouble).view({2, 2}));
  expect_error(ErrorKind::value, "kind",
               [] { corrupt_random(at::ones({1}), at::zeros({1}), at::zeros({1}), "states"); });
}

// A critic |x - c|^2 is least at c: rows whose box holds c end there, others at the nearest edge.
TEST(Corruption, AnAttackFollowsTheCriticWithinItsBox) {
  const auto x = at::tensor({0.3, 5.0}, at::kDouble).view({2, 1}), std = at::tensor({2.0}, at::kDouble);
  const auto slope = [](const Tensor& at) { return 2 * (at - 0.5); };
  const auto moved =
      pgd_attack(x, at::full({2, 1}, 0.5, at::kDouble), std, slope, {.range = 0.4, .lr = 0.01});
  EXPECT_NEAR(moved[0].item<double>(), 0.5, 2 * 0.004);  // a step is lr range std
  EXPECT_NEAR(moved[1].item<double>(), 5 - 0.4 * 2, 1e-12);
}

TEST(Transitions, NormalisedObservationsHaveTheGivenScale) {
  for_draws(50, [] {
    const auto a = normal({6, 2}, 5), b = normal({6, 2}, 5);
    const auto n = normalize_observations(a, b, 1e-12);
    const auto all = at::cat({n.observations, n.next_observations});
    expect_close(all.mean(0), at::zeros({2}, at::kDouble));
    expect_close(all.std(0, false), at::ones({2}, at::kDouble), 1e-6);
  });
}

TEST(Hindsight, FutureLiesAfterTheSample) {
  for_draws(200, [] {
    const GoalSamples s{normal({3, 6, 2}),
                        normal({3, 2}),
                        at::randint(0, 3, {8}, at::kLong),
                        at::randint(0, 5, {8}, at::kLong),
                        uniform({8}),
                        uniform({8})};
    const auto g = hindsight_goals(s, 1);
    EXPECT_GT((g.future_time - s.time).min().item<int64_t>(), 0);
    EXPECT_LE(g.future_time.max().item<int64_t>(), 5);
    expect_close(g.goals, s.achieved.index({s.traj, g.future_time}));
    EXPECT_TRUE(goal_transition_batch(s, 1).transition_time.equal(g.future_time - 1));
  });
}

TEST(PrefixTree, PairsAreDistinctAndTheirDepthIsTheSharedPrefix) {
  for_draws(100, [] {
    const int64_t branching = integer(2, 4), depth = integer(1, 4);
    const auto t = tree_pairs(uniform({20, 2}), branching, depth);
    EXPECT_TRUE(t.pairs.select(1, 0).ne(t.pairs.select(1, 1)).all().item<bool>());
    for (int64_t n = 0; n < 20; ++n) {
      std::vector<std::vector<int64_t>> paths(2);
      for (int side = 0; side < 2; ++side) {
        auto leaf = t.pairs[n][side].item<int64_t>();
        for (int64_t level = 0; level < depth; ++level, leaf /= branching)
          paths[static_cast<size_t>(side)].insert(paths[static_cast<size_t>(side)].begin(), leaf % branching);
      }
      const auto shared = shared_prefix(paths, at::tensor({0, 1}).view({1, 2}));
      EXPECT_EQ(shared.shared[0].item<int64_t>(), t.shared_depth[n].item<int64_t>());
    }
  });
  const auto edges = tree_pairs(at::tensor({0.0, 0.0, 1.0, 1.0}, at::kDouble).view({2, 2}), 2, 2);
  expect_close(edges.pairs, at::tensor({0, 1, 3, 2}).view({2, 2}));
  expect_error(ErrorKind::value, "uniform", [] { tree_pairs(at::full({1, 2}, 1.01), 2, 2); });
  const auto one = at::tensor({1.0, 0.5}, at::kDouble);
  expect_close(prefix_covariance(at::tensor({0, 0, 0, 1, 1, 0}).view({3, 2}), one),
               at::tensor({1.5, 1.0, 0.0, 1.0, 1.5, 0.0, 0.0, 0.0, 1.5}, at::kDouble).view({3, 3}));
  expect_error(ErrorKind::value, "branching", [] { tree_pairs(at::zeros({1, 2}), 1, 1); });
}

TEST(Selection, ErrorsNameTheArgument) {
  expect_error(ErrorKind::empty, "advantages", [] { positive_advantage(-at::ones({2})); });
  expect_error(ErrorKind::value, "uniforms", [] { priority_draw(at::ones({1}), at::ones({1})); });
  expect_error(ErrorKind::value, "fraction", [] { top_fraction(at::ones({1}), 1.5); });
  expect_error(ErrorKind::value, "limit", [] { above_return(at::ones({1}), 0, 0); });
}

}  // namespace
}  // namespace plaudit
