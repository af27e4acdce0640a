#include "plaudit/reward/segment_steps.h"

#include "plaudit/reward/step_features.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

double cost_of(const Tensor& features, int64_t begin, int64_t end) {
  return features.slice(0, begin, end).std(0, /*unbiased=*/false).mean().item<double>();
}

// The readable twin: every pair of cuts.
double by_enumeration(const Tensor& x, int64_t min_size) {
  const int64_t frames = x.size(0);
  double best = INFINITY;
  for (int64_t a = min_size; a + 2 * min_size <= frames; ++a) {
    for (int64_t b = a + min_size; b + min_size <= frames; ++b)
      best = std::min(best, (cost_of(x, 0, a) + cost_of(x, a, b) + cost_of(x, b, frames)) / 3);
  }
  return best;
}

TEST(SegmentSteps, FindsTheBestOfAllSplits) {
  for_draws(100, [] {
    const int64_t min_size = integer(1, 2);
    const auto x = normal({integer(3 * min_size, 10), integer(1, 3)});
    const auto r = segment_steps(x, 3, min_size);
    EXPECT_NEAR(r.objective.item<double>(), by_enumeration(x, min_size), 1e-12);
    const auto a = r.splits[0].item<int64_t>();
    EXPECT_NEAR(r.segment_std[0].item<double>(), cost_of(x, 0, a), 1e-12);
  });
}

TEST(SegmentSteps, ConstantVideosCutAsEarlyAsTheyMay) {
  const auto r = segment_steps(at::full({9, 2}, 0.1, at::kDouble), 3, 2);
  EXPECT_TRUE(r.splits.equal(at::tensor({2, 4}, at::kLong)));
  EXPECT_EQ(r.objective.item<double>(), 0);
  expect_error(ErrorKind::value, "min_size", [] { segment_steps(at::zeros({3, 1}), 2, 2); });
  expect_error(ErrorKind::value, "steps", [] { segment_steps(at::zeros({3, 1}), 0, 1); });
  expect_error(ErrorKind::empty, "features", [] { segment_steps(at::zeros({0, 1}), 1, 1); });
}

TEST(SelectFeatures, FindsTheColumnThatMarksTheStep) {
  for_draws(100, [] {
    auto x = normal({12, 5}, 0.1);
    const auto positive = at::arange(12).lt(4);
    x.select(1, 3).add_(positive.to(at::kDouble) * 5);
    const auto r = select_features(x, positive, 5, 2);
    EXPECT_EQ(r.indices[0].item<int64_t>(), 3);
    const auto best = step_reward(x.select(1, 3).unsqueeze(1), r.mean.slice(0, 0, 1), r.std.slice(0, 0, 1));
    EXPECT_GT(best.slice(0, 0, 4).min().item<double>(), best.slice(0, 4).max().item<double>());
  });
  expect_error(ErrorKind::empty, "positive", [] { select_features(at::ones({2, 1}), at::ones({2}), 5, 1); });
}

TEST(CombineSteps, LiesBetweenNothingAndAllWeights) {
  for_draws(100, [] {
    const auto r = combine_steps(normal({4, 3}, 5), -at::ones({3}), at::ones({3}));
    EXPECT_TRUE(r.rewards.ge(0).logical_and(r.rewards.le(6)).all().item<bool>());
  });
  expect_error(ErrorKind::value, "high", [] {
    combine_steps(at::ones({1, 1}), at::ones({1}), at::ones({1}));
  });
}

}  // namespace
}  // namespace plaudit
