#include "plaudit/env/product_chain.h"

#include "plaudit/env/policy_evaluation.h"
#include "tests/env/random_mdp.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(RewardMachine, OfOneStateIsAPlainReward) {
  for_draws(100, [] {
    const auto m = RandomMdp::draw();
    const auto sizes = m.reward.unsqueeze(0).sizes().vec();
    const auto value = reward_machine_return(m.transition, m.policy, m.initial, {at::zeros(sizes, at::kLong)},
                                             m.reward.unsqueeze(0), m.gamma);
    expect_close(value, policy_return(m.transition, m.reward, m.policy, m.initial, m.gamma));
  });
}

TEST(RewardMachine, ACopyOfTheSameStateChangesNothing) {
  for_draws(100, [] {
    const auto m = RandomMdp::draw();
    const auto moves = at::randint(0, 2, at::stack({m.reward, m.reward}).sizes(), at::kLong);
    const auto value = reward_machine_return(m.transition, m.policy, m.initial, {moves, 1},
                                             at::stack({m.reward, m.reward}), m.gamma);
    expect_close(value, policy_return(m.transition, m.reward, m.policy, m.initial, m.gamma));
  });
}

TEST(OmegaRegular, AcceptanceAndItsComplementSumToOne) {
  for_draws(100, [] {
    const auto m = RandomMdp::draw();
    const int64_t states = integer(1, 3);
    auto shape = m.reward.sizes().vec();
    shape.insert(shape.begin(), states);
    const Machine automaton{at::randint(0, states, shape, at::kLong)};
    const auto marks = at::randint(0, 2, {1, states}, at::kLong), none = at::zeros({1, states}, at::kLong);
    // "marks recur" against "marks do not recur".
    const auto yes = omega_regular_probability(m.transition, m.policy, m.initial, automaton, none, marks);
    const auto no = omega_regular_probability(m.transition, m.policy, m.initial, automaton, marks, none + 1);
    EXPECT_NEAR((yes + no).item<double>(), 1, 1e-9);
  });
}

TEST(RewardMachine, ErrorsNameTheArgument) {
  const auto m = RandomMdp::draw();
  const auto r = m.reward.unsqueeze(0);
  expect_error(ErrorKind::value, "machine_transition", [&] {
    reward_machine_return(m.transition, m.policy, m.initial, {at::ones(r.sizes(), at::kLong)}, r, 0.9);
  });
  expect_error(ErrorKind::value, "start", [&] {
    reward_machine_return(m.transition, m.policy, m.initial, {at::zeros(r.sizes(), at::kLong), 1}, r, 0.9);
  });
}

}  // namespace
}  // namespace plaudit
