#include "plaudit/reward/normalize.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

Tensor scalar(double x) {
  return at::scalar_tensor(x, at::kDouble);
}

TEST(RunningMoments, BatchesMergeToTheWhole) {
  for_draws(300, [] {
    const auto all = normal({integer(1, 40)}, 5) + normal({}, 100);
    RunningMoments m{scalar(7), scalar(3), scalar(0), at::zeros({}, at::kLong)};
    int64_t begin = 0;
    while (begin < all.size(0)) {
      const int64_t end = std::min(all.size(0), begin + integer(1, 7));
      m = running_moments(all.slice(0, begin, end), m.mean, m.var, m.count);
      begin = end;
    }
    expect_close(m.mean, all.mean());
    expect_close(m.var, all.var(0, false), 1e-8);
    if (all.size(0) > 1) expect_close(m.std, all.std(0, true), 1e-8);
    EXPECT_EQ(m.count.item<int64_t>(), all.size(0));
  });
}

TEST(Normalize, IsTheInverseOfScaleAndShift) {
  for_draws(200, [] {
    const auto z = normal({6});
    const double mean = uniform({}, -5, 5).item<double>(), std = uniform({}, 0.1, 5).item<double>();
    expect_close(normalize_rewards(z * std + mean, scalar(mean), scalar(std), {.eps = 0}), z);
    const auto clipped = normalize_rewards(z * std, scalar(mean), scalar(std), {.clip = 0.5, .shift = false});
    EXPECT_LE(clipped.abs().max().item<double>(), 0.5);
  });
}

TEST(Normalize, ErrorsNameTheArgument) {
  const auto x = at::zeros({2});
  expect_error(ErrorKind::value, "std", [&] { normalize_rewards(x, scalar(0), scalar(-1)); });
  expect_error(ErrorKind::value, "clip", [&] { normalize_rewards(x, scalar(0), scalar(1), {.clip = -1}); });
  expect_error(ErrorKind::empty, "batch",
               [&] { running_moments(at::zeros({0}), scalar(0), scalar(1), scalar(0)); });
  expect_error(ErrorKind::value, "count", [&] { running_moments(x, scalar(0), scalar(1), scalar(-1)); });
  expect_error(ErrorKind::shape, "mean", [&] { running_moments(x, x, scalar(1), scalar(1)); });
}

}  // namespace
}  // namespace plaudit
