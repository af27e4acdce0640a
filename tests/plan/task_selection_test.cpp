#include "plaudit/plan/task_selection.h"

#include <set>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

std::set<int64_t> distinct(const Tensor& sources) {
  std::set<int64_t> out;
  for (int64_t i = 0; i < sources.size(0); ++i) out.insert(sources[i].item<int64_t>());
  return out;
}

TEST(TaskSelection, EveryRuleCoversAllTasksWhenAsked) {
  for_draws(40, [] {
    const int64_t n = integer(1, 9);
    const auto transfer = uniform({n, n});
    for (const auto& sources :
         {pseudo_greedy(n, n), mbtl_select(transfer, n), sequential_oracle(transfer, n), equidistant(n, n)})
      EXPECT_EQ(static_cast<int64_t>(distinct(sources).size()), n);
  });
}

// Where left and right of the middle mirror each other, rounding must not decide which of two tasks is taken.
TEST(TaskSelection, OfEqualTasksTheLowerIsTaken) {
  for_draws(200, [] {
    const int64_t n = 2 * integer(1, 3) + 1, middle = n / 2;
    const auto half = uniform({n, n});
    const auto second = mbtl_select(half + half.flip({0, 1}), 2)[1].item<int64_t>();
    EXPECT_LT(second, middle);
  });
}

TEST(TaskSelection, TheCurveRisesAndEndsAtTheMean) {
  for_draws(100, [] {
    const int64_t n = integer(1, 6);
    const auto p = generalised_performance(uniform({n, n}), at::randint(0, n, {4}, at::kLong));
    EXPECT_GE(p.curve.diff().min().item<double>(), 0);
    expect_close(p.curve[-1], p.mean);
  });
}

TEST(GaussianProcess, InterpolatesWithoutNoiseAndForgetsFarAway) {
  for_draws(50, [] {
    const auto x = at::arange(4, at::kDouble) * 2, y = normal({4});
    const GpOptions exact{.noise_std = 0};
    const auto p = gp_posterior(x, y, x, exact);
    expect_close(p.mean, y, 1e-6);
    expect_close(p.std, at::zeros({4}, at::kDouble), 1e-6);
    expect_close(gp_posterior(x, y, at::full({1}, 1e3, at::kDouble), exact).std, at::ones({1}, at::kDouble));
    // The likelihood of one point is a normal density.
    const auto one = gp_log_marginal_likelihood(x.slice(0, 0, 1), y.slice(0, 0, 1), {.noise_std = 1});
    const double expected = -std::pow(y[0].item<double>(), 2) / 4 - std::log(4 * M_PI) / 2;
    EXPECT_NEAR(one.item<double>(), expected, 1e-9);
  });
}

TEST(TaskSelection, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "steps", [] { mbtl_select(at::ones({1, 1}), 2); });
  for (const int64_t steps : {1, 2}) {
    const auto select = [steps](GpOptions gp) { mbtl_select(at::ones({2, 2}), steps, {.gp = gp}); };
    expect_error(ErrorKind::value, "length_scale", [&] { select({.length_scale = 0}); });
    expect_error(ErrorKind::value, "signal_variance", [&] { select({.signal_variance = -1}); });
    expect_error(ErrorKind::value, "noise_std", [&] { select({.noise_std = -0.1}); });
  }
  expect_error(ErrorKind::value, "sources", [] {
    generalised_performance(at::ones({1, 1}), at::ones({1}, at::kLong));
  });
  expect_error(ErrorKind::value, "noise_std",
               [] { gp_posterior(at::ones({2}), at::ones({2}), at::ones({1}), {.noise_std = 0}); });
}

}  // namespace
}  // namespace plaudit
