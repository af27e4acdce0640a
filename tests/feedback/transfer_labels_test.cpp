#include "plaudit/feedback/transfer_labels.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

Tensor complementary(int64_t n) {
  const auto upper = uniform({n, n}).triu(1);
  return upper + (1 - upper.t()).tril(-1) + 0.5 * at::eye(n, at::kDouble);
}

TEST(TransferLabels, OppositePairsAddToOne) {
  for_draws(200, [] {
    const int64_t m = integer(1, 5), n = integer(2, 5);
    const auto pairs = at::randint(0, n, {4, 2}, at::kLong);
    const auto plan = uniform({m, n}, 0.1, 1), z = complementary(m);
    const auto labels = transfer_labels(plan, z, pairs);
    expect_close(labels + transfer_labels(plan, z, pairs.flip(1)), at::ones({4}, at::kDouble));
    expect_close(transfer_labels(plan * 7, z, pairs), labels);  // only the shape of the plan matters
  });
}

TEST(TransferLabels, MissingLabelsAreLeftOut) {
  const auto plan = at::ones({2, 2}, at::kDouble) / 4;
  const auto z = at::tensor({0.5, 1.0, NAN, 0.5}, at::kDouble).view({2, 2});
  const auto pairs = at::tensor({0, 1}, at::kLong).view({1, 2});
  EXPECT_NEAR(transfer_labels(plan, z, pairs)[0].item<double>(), (0.5 + 1 + 0.5) / 3, 1e-12);
  expect_error(ErrorKind::empty, "source_labels", [&] { transfer_labels(plan, z * NAN, pairs); });
  expect_error(ErrorKind::value, "pairs", [&] { transfer_labels(plan, z, pairs + 1); });
  expect_error(ErrorKind::value, "source_labels", [&] { transfer_labels(plan, z + 1, pairs); });
}

}  // namespace
}  // namespace plaudit
