#include "plaudit/objective/discounted_scan.h"

#include <torch/csrc/autograd/autograd.h>

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
    const auto x = normal({integer(1, 20), integer(1, 40)});
    const auto decay = uniform(x.sizes(), -1, 1.1);
    const auto expected = by_steps(x, decay);
    expect_close(discounted_scan(x, decay), expected, 1e-8);
    expect_close(scan_by_doubling(x, decay), expected, 1e-8);
    expect_close(discounted_scan(x.clone().set_requires_grad(true), decay), expected, 1e-8);
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
    expect_gradient([&](const auto& x) { return (discounted_scan(x[0], 0.7) * weight).sum(); },
                    {normal({2, 5})});
  });
}

TEST(DiscountedScan, GradientsOfGradientsAreThoseOfTheDoubling) {
  for_draws(50, [] {
    const auto weight = normal({2, 6});
    const auto twice = [&](const auto& scan) {
      return gradients(
          [&](const auto& v) {
            const auto loss = (scan(v[0], v[1]).square() * weight).sum();
            const auto first = torch::autograd::grad({loss}, {v[0], v[1]}, {}, true, /*create_graph=*/true);
            return (first[0] * first[1]).sum();
          },
          {at::sin(weight), at::sigmoid(weight)});
    };
    const auto fast = twice([](const auto& x, const auto& d) { return discounted_scan(x, d); });
    const auto twin = twice([](const auto& x, const auto& d) { return scan_by_doubling(x, d); });
    for (size_t i = 0; i < fast.size(); ++i) expect_close(fast[i], twin[i]);
  });
}

TEST(DiscountedScan, ATangentPassesThrough) {
  const auto x = normal({3, 9}), direction = normal({3, 9});
  const auto level = torch::autograd::forward_ad::enter_dual_level();
  const auto dual = at::_make_dual(x, direction, static_cast<int64_t>(level));
  const auto tangent = std::get<1>(at::_unpack_dual(discounted_scan(dual, 0.8), static_cast<int64_t>(level)));
  torch::autograd::forward_ad::exit_dual_level(level);
  expect_close(tangent, discounted_scan(direction, 0.8));
}

TEST(DiscountedScan, NoStepsAndNonContiguousRows) {
  EXPECT_EQ(discounted_scan(at::zeros({2, 0}), 0.9).numel(), 0);
  const auto x = normal({7, 3}).t();
  expect_close(discounted_scan(x, 0.5), by_steps(x, at::full_like(x, 0.5)));
}

}  // namespace
}  // namespace plaudit
