#include "plaudit/eval/reward_distance.h"

#include "plaudit/env/policy_evaluation.h"
#include "plaudit/env/value_iteration.h"
#include "plaudit/reward/canonical.h"
#include "tests/env/random_mdp.h"

namespace plaudit {
namespace {

using namespace testing;

// The same order of policies: shaped, redistributed over successors and scaled.
Tensor disguised(const RandomMdp& m) {
  const auto noise = normal(m.reward.sizes());
  const auto redistributed = m.reward + noise - (m.transition * noise).sum(-1, true);
  return 3.5 * potential_shaping(redistributed, normal({m.reward.size(0)}), m.gamma);
}

TEST(Starc, DisguisesAreAtDistanceZeroAndNegationAtTwo) {
  for_draws(200, [] {
    const auto m = RandomMdp::draw();
    const auto other = disguised(m);
    for (const auto* kind : {"value", "minimal"}) {
      const StarcOptions options{.canonicalisation = kind};
      const double norm = reward_norm(canonicalise_value(m.transition, m.reward, m.gamma)).item<double>();
      if (norm < 1e-6) return;  // every policy is alike
      EXPECT_NEAR(starc_distance(m.transition, m.reward, other, m.gamma, options).item<double>(), 0, 1e-6);
      EXPECT_NEAR(starc_distance(m.transition, m.reward, -other, m.gamma, options).item<double>(), 2, 1e-6);
    }
    EXPECT_NEAR(worst_case_regret(m.transition, m.reward, other, m.initial, m.gamma).item<double>(), 0, 1e-6);
  });
}

TEST(Starc, ShapingLeavesEpicAndDardAlone) {
  for_draws(100, [] {
    const auto m = RandomMdp::draw();
    const auto shaped = potential_shaping(m.reward, normal({m.reward.size(0)}), m.gamma);
    expect_close(canonicalise_epic(shaped, m.gamma), canonicalise_epic(m.reward, m.gamma), 1e-8);
    expect_close(canonicalise_dard(m.transition, shaped, m.gamma),
                 canonicalise_dard(m.transition, m.reward, m.gamma), 1e-8);
  });
}

TEST(Minimal, NoShapedCopyIsSmaller) {
  for_draws(100, [] {
    const auto m = RandomMdp::draw();
    const auto least = canonicalise_minimal(m.transition, m.reward, m.gamma);
    expect_close(least.norm, reward_norm(least.canonical));
    EXPECT_LE(least.norm.item<double>(), reward_norm(m.reward).item<double>() + 1e-9);
    EXPECT_LE(least.norm.item<double>(), reward_norm(disguised(m) / 3.5).item<double>() + 1e-9);
  });
}

TEST(WorstCaseRegret, BoundsTheRegretOfEveryPairOfPolicies) {
  for_draws(100, [] {
    const auto m = RandomMdp::draw(4, 3);
    const auto learned = normal(m.reward.sizes());
    const double bound =
        worst_case_regret(m.transition, m.reward, learned, m.initial, m.gamma).item<double>();
    const auto range = return_range(m.transition, m.reward, m.initial, m.gamma);
    const double width = (range.maximum - range.minimum).item<double>();
    if (width < 1e-6) return;
    const auto value = [&](const Tensor& r, const Tensor& pi) {
      return policy_return(m.transition, r, pi, m.initial, m.gamma).item<double>();
    };
    for (int i = 0; i < 10; ++i) {
      const auto a = m.random_policy(), b = m.random_policy();
      if (value(learned, b) >= value(learned, a))
        EXPECT_LE((value(m.reward, a) - value(m.reward, b)) / width, bound + 1e-8);
    }
    EXPECT_LE(regret(m.transition, m.reward, learned, m.initial, m.gamma).normalised.item<double>(),
              bound + 1e-7);
  });
}

TEST(PearsonDistance, ConstantSides) {
  const auto x = at::arange(4, at::kDouble), one = at::ones({4});
  EXPECT_NEAR(pearson_distance(x, one).item<double>(), std::sqrt(0.5), 1e-12);
  EXPECT_EQ(pearson_distance(one, one).item<double>(), 0);
  EXPECT_NEAR(pearson_distance(x, -x).item<double>(), 1, 1e-12);
  const auto m = RandomMdp::draw();
  expect_error(ErrorKind::value, "canonicalisation",
               [&] { starc_distance(m.transition, m.reward, m.reward, 0.9, {.canonicalisation = "val"}); });
  expect_error(ErrorKind::value, "order", [&] { reward_norm(m.reward, 3); });
}

}  // namespace
}  // namespace plaudit
