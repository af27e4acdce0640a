#include "plaudit/objective/discounted_scan.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// The readable twin.
Tensor by_steps(const Tensor& x, const Tensor& decay) {
  auto y = x.clone();
  for (int64_t t = x.size(-1) - 2; t >= 0; --t)
    y.select(-1, t).add_(decay.select(-1, t) * y.select(-1, t + 1));
  return y;
}

TEST(DiscountedScan, RowsAndDoublingEqualTheRecursion) {
  for_draws(300, [] {
    const auto x = normal({integer(1, 4), integer(1, 40)});
    const auto decay = uniform(x.sizes(), -1, 1.1);
    const auto expected = by_steps(x, decay);
    expect_close(discounted_scan(x, decay), expected, 1e-8);
    expect_close(discounted_scan(x.clone().set_requires_grad(true), decay), expected, 1e-8);  // doubling
    const double d = uniform({}).item<double>();
    expect_close(discounted_scan(x, d), by_steps(x, at::full_like(x, d)));
    expect_close(discounted_scan(x.clone().set_requires_grad(true), d), discounted_scan(x, d));
  });
}

TEST(DiscountedScan, GradientMatchesFiniteDifferences) {
  for_draws(50, [] {
    const auto weight = normal({2, 5});
    expect_gradient([&](const auto& x) { return (discounted_scan(x[0], x[1]) * weight).sum(); },
                    {normal({2, 5}), uniform({2, 5})});
  });
}

TEST(DiscountedScan, NoStepsAndNonContiguousRows) {
  EXPECT_EQ(discounted_scan(at::zeros({2, 0}), 0.9).numel(), 0);
  const auto x = normal({7, 3}).t();
  expect_close(discounted_scan(x, 0.5), by_steps(x, at::full_like(x, 0.5)));
}

}  // namespace
}  // namespace plaudit
