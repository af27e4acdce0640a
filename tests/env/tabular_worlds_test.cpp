#include "plaudit/env/tabular_worlds.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Gridworld, RowsAreDistributionsAndWallsHold) {
  for_draws(60, [] {
    const int64_t rows = integer(1, 4), cols = integer(1, 4);
    const double slip = uniform({}).item<double>();
    const auto p = gridworld(rows, cols, {slip, integer(0, 1) == 1});
    expect_close(p.sum(-1), at::ones({p.size(0), p.size(1)}, at::kDouble));
    EXPECT_GE(p.min().item<double>(), 0);
  });
  const auto p = gridworld(2, 3);
  EXPECT_EQ(p[0][0][1].item<double>(), 1);  // right
  EXPECT_EQ(p[0][1][3].item<double>(), 1);  // down
  EXPECT_EQ(p[0][2][0].item<double>(), 1);  // left, into the wall
  EXPECT_EQ(p[4][3][1].item<double>(), 1);  // up
}

TEST(SparseTransition, DropsNoiseUpToTheThreshold) {
  const auto p = sparse_transition(at::tensor({2.0, 0.5, 2.0, 1.0}, at::kDouble).view({2, 1, 2}));
  EXPECT_LT(p[0][0][1].item<double>(), 1e-9);
  EXPECT_LT(p[1][0][1].item<double>(), 1e-9);  // equal to the threshold is not above it
  expect_close(p.sum(-1), at::ones({2, 1}, at::kDouble));
}

TEST(RandomTransition, IsDecidedByItsStream) {
  Rng a(1, "world"), b(1, "world"), c(2, "world");
  const auto p = random_transition(32, 4, a);
  expect_close(p, random_transition(32, 4, b), 0);
  EXPECT_GT((p - random_transition(32, 4, c)).abs().max().item<double>(), 0.1);
  expect_close(p.sum(-1), at::ones({32, 4}, at::kDouble));
  // P(normal > 1) = 0.16: about 5 successors of 32.
  EXPECT_NEAR((p > 1e-6).sum().item<double>() / (32 * 4), 5.1, 0.6);
  expect_error(ErrorKind::value, "states", [&] { random_transition(0, 1, a); });
}

TEST(Gridworld, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "rows", [] { gridworld(0, 2); });
  expect_error(ErrorKind::value, "slip", [] { gridworld(2, 2, {.slip = 1.5}); });
}

}  // namespace
}  // namespace plaudit
