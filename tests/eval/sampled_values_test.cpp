#include "plaudit/eval/sampled_values.h"

#include "plaudit/eval/reward_distance.h"
#include "plaudit/reward/canonical.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// x' = 0.9 x + a: V of the reward x is x/(1 - 0.9 gamma) for actions of mean zero.
TEST(SampledValues, SolveALinearProcess) {
  Rng rng(0, "values");
  const auto x = rng.normal_tensor({20000, 1}, at::kDouble),
             next = 0.9 * x + 0.3 * rng.normal_tensor({20000, 1}, at::kDouble);
  const auto solved =
      sampled_values(x, next.unsqueeze(1), x, at::zeros({20000}, at::kDouble), 0.8, {.features = 0}, rng);
  expect_close(solved.values, x / (1 - 0.9 * 0.8), 0.05);
  EXPECT_LT(solved.residual.max().item<double>(), 1e-3);
}

TEST(SampledValues, NothingFollowsATerminalTransition) {
  Rng rng(1, "values");
  const auto x = rng.normal_tensor({500, 2}, at::kDouble);
  const auto solved =
      sampled_values(x, x.unsqueeze(1), x.slice(1, 0, 1), at::ones({500}, at::kDouble), 0.9, {}, rng);
  EXPECT_EQ(solved.next_values.abs().max().item<double>(), 0);
  expect_close(solved.values, x.slice(1, 0, 1), 1e-2);
}

// What the value form is for: a shaped and scaled reward is the same reward.
TEST(SampledValues, ShapingIsForgotten) {
  Rng rng(2, "values");
  const double gamma = 0.9;
  const int64_t n = 4000;
  const auto x = rng.normal_tensor({n, 2}, at::kDouble),
             next = 0.8 * x + 0.3 * rng.normal_tensor({n, 2}, at::kDouble);
  const auto phi = [](const Tensor& s) { return s.square().sum(-1) + s.select(-1, 0); };
  const auto truth = (x.select(1, 0) * next.select(1, 1)).sin(),
             shaped = 4 * (truth + gamma * phi(next) - phi(x));
  const auto rewards = at::stack({truth, shaped}, 1);
  const auto solved =
      sampled_values(x, next.unsqueeze(1), rewards, at::zeros({n}, at::kDouble), gamma, {}, rng);
  const auto form = [&](int64_t i) {
    return canonicalise_value_sampled(rewards.select(1, i).unsqueeze(1), solved.values.select(1, i),
                                      solved.next_values.select(2, i), gamma);
  };
  EXPECT_GT(sampled_distance(truth, shaped).item<double>(), 0.7);
  EXPECT_LT(sampled_distance(form(0), form(1)).item<double>(), 0.02);
}

TEST(SampledValues, ErrorsNameTheArgument) {
  Rng rng(3, "values");
  const auto x = at::ones({4, 2}, at::kDouble), r = at::ones({4, 1}, at::kDouble),
             done = at::zeros({4}, at::kDouble);
  expect_error(ErrorKind::value, "gamma", [&] { sampled_values(x, x.unsqueeze(1), r, done, 1, {}, rng); });
  expect_error(ErrorKind::shape, "terminal",
               [&] { sampled_values(x, x.unsqueeze(1), r, done.slice(0, 1), 0.9, {}, rng); });
}

}  // namespace
}  // namespace plaudit
