#include "plaudit/env/policy_evaluation.h"

#include "tests/env/random_mdp.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(PolicyEvaluation, SolvesTheBellmanEquation) {
  for_draws(200, [] {
    const auto m = RandomMdp::draw();
    const auto v = policy_evaluation(m.transition, m.reward, m.policy, m.gamma);
    const auto backed = (m.transition * (m.reward + m.gamma * v.values)).sum(-1);
    expect_close(v.q, backed);
    expect_close((m.policy * v.q).sum(1), v.values);
    expect_close((m.policy * v.advantages).sum(1), at::zeros_like(v.values));
  });
}

TEST(PolicyEvaluation, OccupancyTimesRewardIsTheReturn) {
  for_draws(200, [] {
    const auto m = RandomMdp::draw();
    const auto d = occupancy_measure(m.transition, m.policy, m.initial, m.gamma);
    expect_close((d.transition_occupancy * m.reward).sum(),
                 policy_return(m.transition, m.reward, m.policy, m.initial, m.gamma));
    expect_close(occupancy_measure(m.transition, m.policy, m.initial, m.gamma, true).state.sum(),
                 at::ones({}, at::kDouble));
    const auto both = multi_objective_return(m.transition, at::stack({m.reward, 2 * m.reward}), m.policy,
                                             m.initial, m.gamma);
    expect_close(both[1], 2 * both[0]);
  });
}

TEST(PolicyEvaluation, APureChargeIsTheDiscountedEntropy) {
  for_draws(100, [] {
    const auto m = RandomMdp::draw();
    const auto d = occupancy_measure(m.transition, m.policy, m.initial, m.gamma);
    const auto charge = at::xlogy(m.policy, m.policy).sum(1).dot(d.state);
    expect_close(regularised_return(m.transition, at::zeros_like(m.reward), m.policy, m.initial, m.gamma, 2,
                                    "negative_entropy"),
                 -2 * charge);
    const auto uniform = uniform_policy(m.transition);
    expect_close(regularised_return(m.transition, at::zeros_like(m.reward), uniform, m.initial, m.gamma, 1,
                                    "kl_uniform"),
                 at::zeros({}, at::kDouble));
  });
}

TEST(PolicyEvaluation, ErrorsNameTheArgumentInOrder) {
  const auto m = RandomMdp::draw();
  const auto bad = m.transition * 0.5;
  expect_error(ErrorKind::value, "transition", [&] { policy_evaluation(bad, m.reward, m.policy, 0.9); });
  expect_error(ErrorKind::nan, "reward", [&] { policy_evaluation(bad, m.reward / 0, m.policy, 0.9); });
  expect_error(ErrorKind::shape, "reward", [&] { policy_evaluation(bad / 0, m.reward[0], m.policy, 0.9); });
  expect_error(ErrorKind::value, "gamma", [&] { policy_evaluation(m.transition, m.reward, m.policy, 1); });
  expect_error(ErrorKind::value, "regulariser",
               [&] { regularised_return(m.transition, m.reward, m.policy, m.initial, 0.9, 1, "tsalis"); });
}

}  // namespace
}  // namespace plaudit
