#include "plaudit/eval/correlation.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// The readable twin: all pairs.
double all_pairs(const Tensor& x, const Tensor& y) {
  const auto sx = (x.unsqueeze(0) - x.unsqueeze(1)).sign(), sy = (y.unsqueeze(0) - y.unsqueeze(1)).sign();
  return ((sx * sy).sum() / (sx.abs().sum() * sy.abs().sum()).sqrt()).item<double>();
}

TEST(Correlation, KendallEqualsTheSumOverAllPairsWithTies) {
  for_draws(300, [] {
    const int64_t n = integer(2, 12);
    const auto x = at::randint(0, 4, {n}, at::kLong).to(at::kDouble),
               y = at::randint(0, 4, {n}, at::kLong).to(at::kDouble);
    const double expected = all_pairs(x, y), actual = kendall_tau(x, y).item<double>();
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(actual));
    } else {
      EXPECT_NEAR(actual, expected, 1e-12);
    }
  });
}

TEST(Correlation, IsInvariantToScaleShiftAndOrder) {
  for_draws(200, [] {
    const auto x = normal({9}), y = normal({9});
    const auto order = at::randperm(9);
    expect_close(pearson(3 * x + 1, y), pearson(x, y));
    expect_close(pearson(-x, y), -pearson(x, y));
    expect_close(spearman(x.exp(), y), spearman(x, y));
    expect_close(spearman(x.index_select(0, order), y.index_select(0, order)), spearman(x, y));
    expect_close(pearson(x, x), at::ones({}, at::kDouble));
  });
}

TEST(Correlation, AConstantSideGivesNanAndOnePointAnError) {
  const auto x = at::ones({3}), y = at::arange(3, at::kDouble);
  for (const auto f : {&pearson, &spearman, &kendall_tau}) EXPECT_TRUE(std::isnan(f(x, y).item<double>()));
  expect_error(ErrorKind::value, "x", [] { pearson(at::ones({1}), at::ones({1})); });
  expect_error(ErrorKind::empty, "x", [] { kendall_tau(at::ones({0}), at::ones({0})); });
}

TEST(Correlation, DoesNotOverflow) {
  const auto x = at::tensor({1e200, -1e200, 0.0}), y = at::tensor({2.0, -2.0, 0.0});
  EXPECT_NEAR(pearson(x, y).item<double>(), 1, 1e-12);
  EXPECT_NEAR(pearson(y, -x).item<double>(), -1, 1e-12);
}

TEST(BenchmarkCorrelation, CollectsTheFourMeasures) {
  for_draws(50, [] {
    const auto x = normal({6}), y = normal({6});
    const auto c = benchmark_correlation(x, y);
    expect_close(c.pearson, pearson(x, y));
    expect_close(c.r_squared, pearson(x, y).square());
    expect_close(c.spearman, spearman(x, y));
    expect_close(c.kendall, kendall_tau(x, y));
  });
  EXPECT_TRUE(benchmark_correlation(at::ones({3}), at::arange(3)).r_squared.isnan().item<bool>());
  expect_error(ErrorKind::value, "benchmark", [] { benchmark_correlation(at::ones({1}), at::ones({1})); });
  expect_error(ErrorKind::shape, "outcome", [] { benchmark_correlation(at::ones({2}), at::ones({3})); });
}

TEST(SeriesDistance, IsZeroForScaledOneForNegatedAndRefusesAConstant) {
  for_draws(50, [] {
    const auto x = normal({6});
    EXPECT_NEAR(series_distance(x, 3 * x + 2).distance.item<double>(), 0, 1e-7);
    EXPECT_NEAR(series_distance(x, -x).distance.item<double>(), 1, 1e-12);
  });
  expect_error(ErrorKind::value, "y", [] { series_distance(at::arange(3), at::ones({3})); });
  // A constant is one whatever rounding its mean has, and small numbers are none.
  const auto constant = at::full({7}, 1000000.1, at::kDouble);
  expect_error(ErrorKind::value, "x", [&] { series_distance(constant, at::arange(7)); });
  const auto small = at::arange(3) * 1e-13;
  EXPECT_NEAR(series_distance(small, at::arange(3)).correlation.item<double>(), 1, 1e-12);
  expect_error(ErrorKind::value, "x", [] { series_distance(at::ones({1}), at::ones({1})); });
}

}  // namespace
}  // namespace plaudit
