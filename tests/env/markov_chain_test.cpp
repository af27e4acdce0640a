#include "plaudit/env/markov_chain.h"

#include "plaudit/env/policy_evaluation.h"
#include "tests/env/random_mdp.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(LimitAverage, IsTheLimitOfTheDiscountedMean) {
  for_draws(100, [] {
    auto m = RandomMdp::draw();
    // Moves of probability e^-20 would take longer than the horizon of gamma: none here.
    m.transition = m.transition.masked_fill(m.transition.lt(1e-3), 0);
    m.transition = m.transition / m.transition.sum(2, true);
    const auto average = limit_average_reward(m.transition, m.reward, m.policy, m.initial);
    const double gamma = 1 - 1e-7;
    const auto nearly = (1 - gamma) * policy_return(m.transition, m.reward, m.policy, m.initial, gamma);
    expect_close(average, nearly, 1e-4);
  });
}

TEST(LimitAverage, APathOfAnyProbabilityCountsInFullAndNoneOfZero) {
  // From s0 to the paying s1 with probability p, else stay.
  const auto value = [](double p) {
    const auto transition = at::tensor({1 - p, p, 0.0, 1.0}, at::kDouble).view({2, 1, 2});
    const auto reward = at::tensor({0.0, 0.0, 0.0, 1.0}, at::kDouble).view({2, 1, 2});
    return limit_average_reward(transition, reward, at::ones({2, 1}), at::tensor({1.0, 0.0})).item<double>();
  };
  EXPECT_NEAR(value(1e-6), 1, 1e-9);
  EXPECT_EQ(value(0), 0);
}

TEST(ClosedClasses, SplitTheMassBetweenThem) {
  const auto chain = at::tensor({0.0, 0.25, 0.75, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0}, at::kDouble).view({3, 3});
  const auto closed = closed_classes(chain, at::tensor({1.0, 0.0, 0.0}, at::kDouble));
  ASSERT_EQ(closed.size(), 2u);
  double total = 0;
  for (const auto& c : closed) {
    EXPECT_NEAR(c.probability, c.states.front() == 1 ? 0.25 : 0.75, 1e-12);
    total += c.probability;
  }
  EXPECT_NEAR(total, 1, 1e-12);
}

}  // namespace
}  // namespace plaudit
