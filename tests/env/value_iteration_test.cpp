#include "plaudit/env/value_iteration.h"

#include <chrono>

#include "plaudit/env/policy_evaluation.h"
#include "tests/env/random_mdp.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(ValueIteration, IsAFixedPointThatNoPolicyBeats) {
  for_draws(200, [] {
    const auto m = RandomMdp::draw();
    const auto v = value_iteration(m.transition, m.reward, m.gamma);
    expect_close(v.q.amax(1), v.values);
    expect_close(policy_evaluation(m.transition, m.reward, v.policy, m.gamma).values, v.values, 1e-8);
    const auto other = policy_evaluation(m.transition, m.reward, m.random_policy(), m.gamma).values;
    EXPECT_LE((other - v.values).max().item<double>(), 1e-9);
    const auto range = return_range(m.transition, m.reward, m.initial, m.gamma);
    EXPECT_LE(range.minimum.item<double>(), range.maximum.item<double>() + 1e-12);
  });
}

TEST(ValueIteration, IsExactWhateverTheTolerance) {
  for_draws(50, [] {
    const auto m = RandomMdp::draw();
    const auto exact = value_iteration(m.transition, m.reward, m.gamma);
    expect_close(value_iteration(m.transition, m.reward, m.gamma, {.tol = 100, .max_iterations = 1}).values,
                 exact.values);
  });
}

TEST(ValueIteration, TiesGoToTheLowestIndex) {
  const auto transition = at::full({3, 4, 3}, 1.0 / 3, at::kDouble),
             reward = at::ones({3, 4, 3}, at::kDouble);
  const auto v = value_iteration(transition, reward, 0.999);
  expect_close(v.policy.select(1, 0), at::ones({3}, at::kDouble));
  expect_close(v.values, at::full({3}, 1000.0, at::kDouble));
}

TEST(ValueIteration, AThousandStatesTakeUnderASecond) {
  at::manual_seed(0);
  const auto transition = sparse_transition(normal({1000, 4, 1000})), reward = normal({1000, 4, 1000});
  const auto start = std::chrono::steady_clock::now();
  const auto v = value_iteration(transition, reward, 0.99);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  expect_close(v.q.amax(1), v.values, 1e-8);
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 20);  // the speed itself is a job of plaudit bench; this machine may be busy
}

TEST(SoftValueIteration, HoldsTheSoftBellmanEquationAndApproachesTheGreedyOne) {
  for_draws(200, [] {
    const auto m = RandomMdp::draw();
    const double tau = uniform({}, 0.05, 3).item<double>();
    const auto v = soft_value_iteration(m.transition, m.reward, m.gamma, {tau, m.policy});
    expect_close(tau * at::logsumexp(v.q / tau + m.policy.log(), 1), v.values);
    expect_close(v.policy.sum(1), at::ones_like(v.values));
    const auto cold = soft_value_iteration(m.transition, m.reward, m.gamma, {1e-6});
    expect_close(cold.values, value_iteration(m.transition, m.reward, m.gamma).values, 1e-4);
  });
}

TEST(SoftValueIteration, AnActionWithoutReferenceIsNeverTaken) {
  const auto m = RandomMdp{at::full({2, 2, 2}, 0.5, at::kDouble), normal({2, 2, 2}), {}, {}, 0.9};
  const auto reference = at::tensor({0.0, 1.0, 0.5, 0.5}, at::kDouble).view({2, 2});
  const auto v = soft_value_iteration(m.transition, m.reward, m.gamma, {0.1, reference});
  EXPECT_EQ(v.policy[0][0].item<double>(), 0);
  EXPECT_EQ(v.policy[0][1].item<double>(), 1);
}

TEST(SoftValueIteration, ErrorsNameTheArgument) {
  const auto m = RandomMdp::draw();
  expect_error(ErrorKind::value, "temperature",
               [&] { soft_value_iteration(m.transition, m.reward, 0.9, {.temperature = 0}); });
  expect_error(ErrorKind::value, "reference", [&] {
    soft_value_iteration(m.transition, m.reward, 0.9, {.reference = at::zeros_like(m.policy)});
  });
}

}  // namespace
}  // namespace plaudit
