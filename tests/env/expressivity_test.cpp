#include "plaudit/env/expressivity.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Expressivity, TableHas141RelationsIn11ClassesAnd13Covers) {
  const auto t = expressivity_table();
  EXPECT_EQ(t.names.size(), 17u);
  EXPECT_EQ(t.at_least.sum().item<int64_t>(), 141);
  EXPECT_EQ(preorder_classes(t.at_least).max().item<int64_t>(), 10);
  EXPECT_EQ(transitive_reduction(t.at_least).sum().item<int64_t>(), 13);
}

TEST(Expressivity, ClosureOfTheReductionIsTheRelationOfTheClasses) {
  for_draws(100, [] {
    const int64_t n = integer(1, 6);
    auto relation = at::eye(n, at::kBool).logical_or(at::rand({n, n}) < 0.3);
    for (int i = 0; i < 4; ++i) relation = at::matmul(relation.to(at::kDouble), relation.to(at::kDouble)) > 0;
    const auto classes = preorder_classes(relation.to(at::kLong));
    const auto covers = transitive_reduction(relation.to(at::kLong));
    auto closed = covers.ne(0).logical_or(at::eye(covers.size(0), at::kBool));
    for (int i = 0; i < 4; ++i) closed = at::matmul(closed.to(at::kDouble), closed.to(at::kDouble)) > 0;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j)
        EXPECT_EQ(relation[i][j].item<bool>(), closed[classes[i]][classes[j]].item<bool>());
    }
  });
}

TEST(Certificates, LinearObjectivesAreConsistentAndLevelPairsTie) {
  for_draws(200, [] {
    const auto r = normal({3});
    const double w = uniform({}, 0.1, 0.9).item<double>();
    const auto values = at::stack({r[0], r[1], w * r[0] + (1 - w) * r[1]});
    EXPECT_TRUE(mixture_consistent(values, w));
    EXPECT_FALSE(mixture_consistent(at::stack({r[0], r[0], r[0] + 1}), w));
    const auto u = normal({2}), v = normal({2});
    EXPECT_TRUE(separable_consistent(u.unsqueeze(1) + v.unsqueeze(0)));
    const auto pair = level_pair(r);
    EXPECT_NEAR(pair.policy_a.dot(r).item<double>(), pair.policy_b.dot(r).item<double>(), 1e-12);
    EXPECT_NEAR(pair.policy_b.sum().item<double>(), 1, 1e-12);
  });
  EXPECT_FALSE(separable_consistent(at::tensor({1.0, 0.0, 0.0, 1.0}, at::kDouble).view({2, 2})));
}

TEST(Expressivity, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "at_least", [] { preorder_classes(at::zeros({2, 2}, at::kLong)); });
  expect_error(ErrorKind::value, "weight", [] { mixture_consistent(at::zeros({3}), 0); });
  expect_error(ErrorKind::value, "step", [] { level_pair(at::zeros({3}), 0.5); });
}

}  // namespace
}  // namespace plaudit
