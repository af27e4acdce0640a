#include "plaudit/env/trajectories.h"

#include "tests/env/random_mdp.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Trajectories, AreListedInLexicographicOrderWithMassOne) {
  for_draws(60, [] {
    const auto m = RandomMdp::draw(3, 2);
    const auto d = trajectory_distribution(m.transition, m.policy, m.initial, integer(1, 3));
    EXPECT_NEAR(d.probabilities.sum().item<double>(), 1, 1e-9);
    EXPECT_GT(d.probabilities.min().item<double>(), 0);
    for (int64_t i = 0; i + 1 < d.trajectories.size(0); ++i) {
      const auto change = (d.trajectories[i + 1] - d.trajectories[i]).nonzero();
      EXPECT_GT((d.trajectories[i + 1] - d.trajectories[i])[change[0][0]].item<int64_t>(), 0);
    }
  });
}

TEST(Trajectories, SamplesFollowTheirProbabilities) {
  at::manual_seed(1);
  const auto m = RandomMdp::draw(3, 2);
  const auto d = trajectory_distribution(m.transition, m.policy, m.initial, 1);
  const auto sample = sample_trajectories(m.transition, m.policy, m.initial, uniform({20000, 3}));
  const auto rows =
      at::stack({sample.states.select(1, 0), sample.actions.select(1, 0), sample.states.select(1, 1)}, 1);
  for (int64_t i = 0; i < d.trajectories.size(0); ++i) {
    const double share = rows.eq(d.trajectories[i]).all(1).to(at::kDouble).mean().item<double>();
    EXPECT_NEAR(share, d.probabilities[i].item<double>(), 0.02);
  }
}

TEST(EncodeReturn, RoundTripsWhereverGammaAllows) {
  for_draws(300, [] {
    const int64_t kinds = integer(1, 12);
    const double gamma = 0.98 / static_cast<double>(kinds) * uniform({}, 0.3, 1).item<double>();
    const int64_t length = integer(1, 6);
    const auto transitions = at::randint(0, kinds, {length}, at::kLong);
    const double value = encode_return(transitions, kinds, gamma);
    EXPECT_TRUE(decode_return(value, kinds, gamma, length).equal(transitions));
  });
}

TEST(Trajectories, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "gamma", [] { encode_return(at::zeros({1}, at::kLong), 2, 0.5); });
  expect_error(ErrorKind::value, "transitions", [] { encode_return(at::full({1}, 2, at::kLong), 2, 0.3); });
  expect_error(ErrorKind::value, "value", [] { decode_return(-3, 2, 0.3, 2); });
  const auto m = RandomMdp::draw();
  expect_error(ErrorKind::shape, "uniforms", [&] {
    sample_trajectories(m.transition, m.policy, m.initial, at::zeros({1, 4}));
  });
}

}  // namespace
}  // namespace plaudit
