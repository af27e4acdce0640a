#include "plaudit/eval/objective_mismatch.h"

#include <cmath>
#include <limits>

#include "plaudit/eval/correlation.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Tensor vector(std::initializer_list<double> values) {
  return at::tensor(std::vector<double>(values), at::kDouble);
}

TEST(CorrelationMatrix, EqualsThePairwiseCorrelationsOverCommonRows) {
  for_draws(100, [] {
    auto metrics = normal({9, 3});
    const auto mask = at::ones({9, 3}, at::kLong);
    mask[2][0] = 0;
    mask[5][1] = 0;
    metrics[2][0] = kNaN;  // never read
    const auto keep = at::tensor({0, 1, 3, 4, 6, 7, 8});
    const auto x = metrics.select(1, 0).index_select(0, keep), y = metrics.select(1, 1).index_select(0, keep);
    const auto entry = [&](const char* method) { return correlation_matrix(metrics, mask, method)[0][1]; };
    expect_close(entry("pearson"), pearson(x, y));
    expect_close(entry("spearman"), spearman(x, y));
    expect_close(entry("kendall"), kendall_tau(x, y));
    const auto matrix = correlation_matrix(metrics, mask);
    expect_close(matrix, matrix.t());
    expect_close(matrix.diagonal(), at::ones({3}, at::kDouble));
  });
}

TEST(CorrelationMatrix, IsNanForAConstantColumnAndForFewRows) {
  const auto metrics = at::stack({at::arange(4, at::kDouble), at::ones({4}, at::kDouble)}, 1);
  for (const auto* method : {"pearson", "spearman", "kendall"}) {
    const auto matrix = correlation_matrix(metrics, std::nullopt, method);
    EXPECT_NEAR(matrix[0][0].item<double>(), 1, 1e-12);
    EXPECT_TRUE(matrix[0][1].isnan().item<bool>());
    EXPECT_TRUE(matrix[1][1].isnan().item<bool>());
  }
  EXPECT_TRUE(correlation_matrix(normal({2, 2})).isnan().all().item<bool>());
  expect_error(ErrorKind::nan, "metrics", [] { correlation_matrix(at::full({3, 1}, kNaN, at::kDouble)); });
  expect_error(ErrorKind::value, "method", [] { correlation_matrix(at::ones({3, 1}), std::nullopt, "tau"); });
  expect_error(ErrorKind::shape, "mask", [] { correlation_matrix(at::ones({3, 1}), at::ones({3, 2})); });
  expect_error(ErrorKind::empty, "metrics", [] { correlation_matrix(at::ones({0, 2})); });
}

TEST(MismatchReport, SmoothsBothSeriesBeforeAnythingElse) {
  const auto report = mismatch_report(vector({0, 2, 4, 6}), vector({0, 3, 0, 0}), {.window = 2});
  EXPECT_EQ(report.peak_index, 1);  // smoothed gold 0, 1.5, 1.5, 0: the first maximum
  EXPECT_DOUBLE_EQ(report.gold_drop, 1.5);
  EXPECT_DOUBLE_EQ(report.proxy_rise, 4);  // smoothed proxy 0, 1, 3, 5
  EXPECT_TRUE(report.mismatch);
  EXPECT_TRUE(std::isnan(report.correlation_before));
  expect_close(at::scalar_tensor(report.correlation_after, at::kDouble),
               pearson(vector({1, 3, 5}), vector({1.5, 1.5, 0})));
  EXPECT_FALSE(mismatch_report(vector({0, 2, 4, 6}), vector({0, 3, 0, 0}), {2, 1.5}).mismatch);
  EXPECT_FALSE(mismatch_report(vector({6, 4, 2, 0}), vector({0, 3, 0, 0})).mismatch);
  EXPECT_EQ(mismatch_report(vector({1}), vector({1})).peak_index, 0);
}

TEST(MismatchReport, ErrorsNameTheArgument) {
  const auto x = at::ones({3});
  expect_error(ErrorKind::value, "window", [&] { mismatch_report(x, x, {0, 0}); });
  expect_error(ErrorKind::shape, "gold", [&] { mismatch_report(x, at::ones({2})); });
  expect_error(ErrorKind::nan, "proxy", [&] { mismatch_report(x * kNaN, x); });
}

TEST(LeadLag, APositiveLagMeansThatXLeads) {
  for_draws(50, [] {
    const auto x = normal({12});
    const auto y = at::roll(x, 2);  // y[t + 2] = x[t]
    const auto correlations = lead_lag(x, y, 3);
    EXPECT_NEAR(correlations[3 + 2].item<double>(), 1, 1e-12);
    expect_close(correlations[3], pearson(x, y));
    expect_close(lead_lag(y, x, 3), correlations.flip(0));
  });
  EXPECT_EQ(lead_lag(at::rand({4}), at::rand({4}), 3).isnan().sum().item<int64_t>(), 4);  // 2 points or 1
  expect_error(ErrorKind::value, "max_lag", [] { lead_lag(at::ones({3}), at::ones({3}), 3); });
  expect_error(ErrorKind::value, "max_lag", [] { lead_lag(at::ones({3}), at::ones({3}), -1); });
}

TEST(BootstrapCorrelation, SkipsSamplesWithoutACorrelation) {
  const auto x = vector({0, 1, 2, 3}), y = vector({0, 1, 2, 0});
  const auto indices = at::tensor({1, 1, 1, 1, 0, 1, 2, 0, 0, 1, 2, 3}).view({3, 4});
  const auto b = bootstrap_correlation(x, y, indices, 0.5);
  EXPECT_TRUE(b.samples[0].isnan().item<bool>());
  const double least = pearson(x, y).item<double>();
  EXPECT_NEAR(b.low.item<double>(), least + 0.25 * (1 - least), 1e-12);
  EXPECT_NEAR(b.high.item<double>(), least + 0.75 * (1 - least), 1e-12);
  EXPECT_TRUE(bootstrap_correlation(x, y, indices.slice(0, 0, 1)).low.isnan().item<bool>());
  expect_error(ErrorKind::value, "indices", [&] { bootstrap_correlation(x, y, at::full({1, 4}, 4)); });
  expect_error(ErrorKind::shape, "indices", [&] { bootstrap_correlation(x, y, at::zeros({1, 3})); });
  expect_error(ErrorKind::value, "level", [&] { bootstrap_correlation(x, y, indices, 1); });
}

}  // namespace
}  // namespace plaudit
