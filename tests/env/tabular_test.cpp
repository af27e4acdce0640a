#include "plaudit/env/tabular.h"

#include "plaudit/env/policy_evaluation.h"
#include "tests/env/random_mdp.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Tables, AnErrorNamesTheRowAndItsSum) {
  auto p = at::full({4, 2, 4}, 0.25, at::kDouble);
  const auto r = at::zeros({4, 2, 4}, at::kDouble), policy = at::full({4, 2}, 0.5, at::kDouble);
  const auto evaluate = [&](double gamma = 0.9) { policy_evaluation(p, r, policy, gamma); };
  EXPECT_NO_THROW(evaluate());
  p[3][1][0] = 0.125;
  expect_error(ErrorKind::value, "transition[3, 1] is a distribution and must sum to 1, its sum is 0.875",
               [&] { evaluate(); });
  p[3][1][0] = 0.5;
  p[3][1][2] = 0;
  p[2][0][1] = -0.25;
  p[2][0][0] = 0.75;
  expect_error(ErrorKind::value, "transition[2, 0, 1] must be a probability", [&] { evaluate(); });
  p[2][0][1] = NAN;
  expect_error(ErrorKind::nan, "transition", [&] { evaluate(); });
}

TEST(Tables, TheDiscountIsBelowOne) {
  const auto m = RandomMdp::draw();
  for (const double gamma : {1.0, -0.1, 1.5})
    expect_error(ErrorKind::value, "gamma must be in [0, 1), got",
                 [&] { policy_evaluation(m.transition, m.reward, m.policy, gamma); });
}

TEST(Tables, ShapesAreNamed) {
  const auto p = at::full({4, 2, 4}, 0.25, at::kDouble), policy = at::full({4, 2}, 0.5, at::kDouble);
  expect_error(ErrorKind::shape, "reward", [&] {
    policy_evaluation(p, at::zeros({4, 3, 4}, at::kDouble), policy, 0.9);
  });
}

}  // namespace
}  // namespace plaudit
