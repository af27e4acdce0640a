#include "plaudit/feedback/factor_hierarchy.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// The readable twin: one pair at a time.
std::pair<int64_t, int64_t> by_walk(const Tensor& a, const Tensor& b, const Tensor& margins,
                                    const FactorRanking& ranking) {
  for (size_t rank = 0; rank < ranking.order.size(); ++rank) {
    const auto k = ranking.order[rank];
    const double d = (ranking.signs[k] * (a[k] - b[k])).item<double>(), margin = margins[k].item<double>();
    if (d > margin) return {1, static_cast<int64_t>(rank)};
    if (d < -margin) return {0, static_cast<int64_t>(rank)};
  }
  return {-1, -1};
}

FactorRanking random_ranking(int64_t factors) {
  const auto order = at::randperm(factors, at::kLong).slice(0, 0, integer(1, factors));
  return {{order.data_ptr<int64_t>(), order.data_ptr<int64_t>() + order.numel()},
          at::randint(0, 2, {factors}, at::kDouble) * 2 - 1};
}

TEST(HierarchicalLabel, EqualsTheWalkAndTurnsRoundWithThePair) {
  for_draws(300, [] {
    const int64_t n = integer(1, 6), k = integer(1, 4);
    const auto a = at::randint(-2, 3, {n, k}, at::kDouble), b = at::randint(-2, 3, {n, k}, at::kDouble);
    const auto margins = at::randint(0, 3, {k}, at::kDouble);
    const auto ranking = random_ranking(k);
    const auto r = hierarchical_label(a, b, margins, ranking);
    for (int64_t i = 0; i < n; ++i) {
      const auto [label, level] = by_walk(a[i], b[i], margins, ranking);
      EXPECT_EQ(r.label[i].item<int64_t>(), label);
      EXPECT_EQ(r.level[i].item<int64_t>(), level);
    }
    const auto turned = hierarchical_label(b, a, margins, ranking);
    EXPECT_TRUE(turned.level.equal(r.level));
    EXPECT_TRUE(turned.label.equal(at::where(r.label.eq(-1), -1, 1 - r.label)));
  });
}

TEST(FactorHierarchy, ErrorsNameTheArgument) {
  const auto f = at::zeros({2, 2}, at::kDouble), two = at::ones({2}, at::kDouble);
  expect_error(ErrorKind::value, "order", [&] { hierarchical_label(f, f, two, {{0, 0}, two}); });
  expect_error(ErrorKind::value, "order", [&] { hierarchical_label(f, f, two, {{2}, two}); });
  expect_error(ErrorKind::value, "signs", [&] { hierarchical_label(f, f, two, {{0}, two * 2}); });
  expect_error(ErrorKind::value, "margins", [&] { hierarchical_label(f, f, -two, {{0}, two}); });
  expect_error(ErrorKind::value, "factors", [&] { hierarchy_margins(f.slice(0, 0, 1), two); });
  expect_error(ErrorKind::shape, "signs", [&] { decayed_linear_reward(f, {{0}, at::ones({3})}, 0.5); });
}

}  // namespace
}  // namespace plaudit
