#include "plaudit/env/finite_horizon.h"

#include "plaudit/env/trajectories.h"
#include "tests/env/random_mdp.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(FiniteHorizon, PolicyValuesEqualTheMeanOverTrajectories) {
  for_draws(60, [] {
    const auto m = RandomMdp::draw(3, 2);
    const int64_t horizon = integer(1, 3);
    const auto v = finite_horizon_q(m.transition, m.reward, horizon, m.gamma, m.policy);
    const auto d = return_distribution(m.transition, m.reward, m.policy, m.initial, horizon, m.gamma);
    expect_close(v.values[0].dot(m.initial), d.returns.dot(d.probabilities));
    expect_close(d.probabilities.sum(), at::ones({}, at::kDouble));
    expect_close(exploration_q(m.transition, m.reward, horizon, m.gamma, m.policy), v.q);
  });
}

TEST(FiniteHorizon, EnoughIterationsReachTheOptimum) {
  for_draws(100, [] {
    const auto m = RandomMdp::draw();
    const int64_t horizon = integer(1, 5);
    const auto best = finite_horizon_q(m.transition, m.reward, horizon);
    auto q = exploration_q(m.transition, m.reward, horizon);
    for (int64_t k = 1; k < horizon; ++k) q = q_value_iteration_step(q, m.transition, m.reward);
    expect_close(q, best.q);
    expect_close(greedy_return(best.q, m.transition, m.reward, m.initial), best.values[0].dot(m.initial),
                 1e-7);
    const auto k = min_qvi_k(m.transition, m.reward, m.initial, horizon);
    EXPECT_GE(k, 1);
    EXPECT_LE(k, horizon);
  });
}

TEST(FiniteHorizon, TheWorstTieCounts) {
  // Two actions tie in q; one of them pays nothing.
  const auto transition = at::ones({1, 2, 1}, at::kDouble);
  const auto reward = at::tensor({1.0, 0.0}, at::kDouble).view({1, 2, 1});
  const auto one = at::ones({1}, at::kDouble);
  EXPECT_EQ(greedy_return(at::zeros({1, 1, 2}, at::kDouble), transition, reward, one).item<double>(), 0);
  EXPECT_TRUE(std::isinf(k_gap(at::zeros({1, 1, 2}, at::kDouble), transition, one).item<double>()));
}

TEST(StochasticHorizon, IsTheLeastOverK) {
  const auto h = stochastic_effective_horizon(at::tensor({0.0, 0.5}, at::kDouble), 2);
  EXPECT_TRUE(std::isinf(h.per_k[0].item<double>()));
  EXPECT_NEAR(h.horizon.item<double>(), 4, 1e-12);
  expect_error(ErrorKind::value, "num_actions", [] { stochastic_effective_horizon(at::ones({1}), 1); });
  expect_error(ErrorKind::value, "gaps", [] { stochastic_effective_horizon(-at::ones({1}), 2); });
}

TEST(FiniteHorizon, ErrorsNameTheArgument) {
  const auto m = RandomMdp::draw();
  expect_error(ErrorKind::value, "horizon", [&] { finite_horizon_q(m.transition, m.reward, 0); });
  expect_error(ErrorKind::value, "start",
               [&] { min_qvi_k(m.transition, m.reward, m.initial, 2, {.start = "reward"}); });
}

}  // namespace
}  // namespace plaudit
