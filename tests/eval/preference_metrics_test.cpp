#include "plaudit/eval/preference_metrics.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(PreferenceAccuracy, SwappingThePairsComplementsIt) {
  for_draws(200, [] {
    const auto c = (normal({12}) * 2).round(), r = (normal({12}) * 2).round();
    const auto a = preference_accuracy(c, r), b = preference_accuracy(r, c);
    expect_close(a.accuracy + b.accuracy, at::ones({}, at::kDouble));
    EXPECT_EQ(a.count, 12);
    EXPECT_LE(preference_accuracy(c, r, "wrong").accuracy.item<double>(), a.accuracy.item<double>());
  });
}

TEST(PreferenceCalibration, BinsPartitionThePairs) {
  for_draws(200, [] {
    const int64_t n = integer(1, 40), bins = integer(1, 12);
    const auto c = normal({n}, 2), r = normal({n}, 2);
    const auto m = preference_calibration(c, r, bins);
    EXPECT_EQ(m.bin_count.sum().item<int64_t>(), n);
    expect_close((m.bin_accuracy * m.bin_count).sum() / n, preference_accuracy(c, r).accuracy);
    EXPECT_LE(m.ece.item<double>(), m.mce.item<double>() + 1e-12);
    // The order of the pairs does not matter.
    const auto order = at::randperm(n);
    const auto s = preference_calibration(c.index_select(0, order), r.index_select(0, order), bins);
    expect_close(s.ece, m.ece);
    expect_close(s.nll, m.nll);
  });
}

TEST(PreferenceCalibration, AWellCalibratedScorerHasASmallError) {
  at::manual_seed(3);
  const auto d = normal({200000}, 2);
  const auto won = uniform({200000}) < at::sigmoid(d);
  const auto signed_d = at::where(won, d, -d), zero = at::zeros_like(d);
  EXPECT_LT(preference_calibration(signed_d, zero).ece.item<double>(), 0.01);
  EXPECT_GT(preference_calibration(signed_d * 3, zero).ece.item<double>(), 0.05);
}

TEST(PreferenceCalibration, ExtremesFallIntoTheLastBin) {
  const auto m = preference_calibration(at::tensor({3000.0, 0.0}), at::tensor({-3000.0, 0.0}), 4);
  expect_close(m.bin_count, at::tensor({1, 0, 0, 1}));
  expect_close(m.bin_accuracy, at::tensor({0.5, 0.0, 0.0, 1.0}));
}

TEST(PreferenceMetrics, ErrorsNameTheArgument) {
  const auto x = at::zeros({2}), none = at::zeros({0});
  expect_error(ErrorKind::empty, "chosen_rewards", [&] { preference_accuracy(none, none); });
  expect_error(ErrorKind::value, "ties", [&] { preference_accuracy(x, x, "right"); });
  expect_error(ErrorKind::value, "bins", [&] { preference_calibration(x, x, 0); });
  expect_error(ErrorKind::nan, "rejected_rewards", [&] { preference_calibration(x, x / 0); });
}

}  // namespace
}  // namespace plaudit
