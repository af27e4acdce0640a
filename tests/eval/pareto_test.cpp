#include "plaudit/eval/pareto.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Hypervolume, IsThatOfTheFrontAndGrowsWithEveryPoint) {
  for_draws(300, [] {
    const auto points = at::randint(-2, 6, {integer(1, 8), 2}, at::kDouble);
    const auto reference = at::zeros({2}, at::kDouble);
    const auto volume = hypervolume2d(points, reference);
    const auto front = points.index({pareto_mask(points)});
    expect_close(hypervolume2d(front, reference), volume);
    // Integer corners: count the unit squares below the front.
    double squares = 0;
    for (int64_t x = 0; x < 6; ++x) {
      for (int64_t y = 0; y < 6; ++y)
        squares += points.select(1, 0).gt(x).logical_and(points.select(1, 1).gt(y)).any().item<bool>();
    }
    EXPECT_NEAR(volume.item<double>(), squares, 1e-12);
    const auto more = at::cat({points, uniform({1, 2}, -1, 6)});
    EXPECT_GE(hypervolume2d(more, reference).item<double>(), squares - 1e-12);
  });
}

TEST(ParetoMask, DuplicatesStayAndDominatedPointsGo) {
  const auto points = at::tensor({1.0, 2.0, 1.0, 2.0, 0.0, 2.0, 2.0, 1.0}, at::kDouble).view({4, 2});
  EXPECT_TRUE(pareto_mask(points).equal(at::tensor({1, 1, 0, 1}).to(at::kBool)));
  expect_error(ErrorKind::empty, "points", [] { pareto_mask(at::zeros({0, 2})); });
  expect_error(ErrorKind::nan, "points", [] { pareto_mask(at::full({1, 2}, INFINITY)); });
  expect_error(ErrorKind::shape, "points", [] { hypervolume2d(at::zeros({1, 3}), at::zeros({2})); });
}

}  // namespace
}  // namespace plaudit
