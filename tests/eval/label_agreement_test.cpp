#include "plaudit/eval/label_agreement.h"

#include <algorithm>
#include <numeric>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// The readable twin: every renaming of up to five groups.
double by_permutations(const Tensor& assignment, const Tensor& truth, int64_t groups) {
  std::vector<int64_t> names(static_cast<size_t>(groups));
  std::iota(names.begin(), names.end(), 0);
  double best = 0;
  do {
    const auto renamed = at::tensor(names, at::kLong).index_select(0, assignment);
    best = std::max(best, renamed.eq(truth).to(at::kDouble).mean().item<double>());
  } while (std::next_permutation(names.begin(), names.end()));
  return best;
}

TEST(ClusterAccuracy, EqualsTheBestRenaming) {
  for_draws(300, [] {
    const int64_t groups = integer(1, 5), users = integer(1, 12);
    const auto a = at::randint(0, groups, {users}, at::kLong), b = at::randint(0, groups, {users}, at::kLong);
    EXPECT_NEAR(cluster_accuracy(a, b), by_permutations(a, b, groups), 1e-12);
  });
}

TEST(PreferenceTv, IsAMetric) {
  for_draws(100, [] {
    const auto a = uniform({4}), b = uniform({4}), c = uniform({4});
    expect_close(preference_tv(a, b).tv, preference_tv(b, a).tv);
    EXPECT_LE(preference_tv(a, c).tv.item<double>(),
              (preference_tv(a, b).tv + preference_tv(b, c).tv).item<double>() + 1e-12);
  });
  expect_error(ErrorKind::value, "prob_a", [] { preference_tv(at::full({1}, 1.2), at::ones({1})); });
}

TEST(LabelAccuracy, OneHalfCountsAsNotPreferred) {
  const auto x = at::tensor({0.5, 0.51}, at::kDouble), y = at::tensor({1.0, 1.0}, at::kDouble);
  EXPECT_EQ(label_accuracy(x, y).item<double>(), 0.5);
  expect_error(ErrorKind::shape, "truth", [&] { label_accuracy(x, at::ones({3})); });
}

}  // namespace
}  // namespace plaudit
