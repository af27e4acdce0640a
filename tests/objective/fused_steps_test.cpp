#include "plaudit/objective/fused_steps.h"

#include <cmath>

#include "plaudit/objective/advantage.h"
#include "plaudit/objective/returns.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// Inputs longer than one block and one group of rows, NaN and infinity under the mask.
struct Steps {
  Tensor rewards, values, left, any;  // `left`: valid steps to the left; `any`: holes too
};

Tensor spoiled(const Tensor& x, const Tensor& mask) {
  const auto junk = at::where(at::rand_like(x) < 0.5, std::nan(""), INFINITY).to(x.scalar_type());
  return at::where(mask.ne(0), x, junk);
}

Steps random_steps(at::ScalarType type) {
  const int64_t rows = integer(1, 20), length = integer(1, 5) == 1 ? integer(120, 300) : integer(1, 40);
  auto any = (uniform({rows, length}) < 0.7).to(at::kDouble);
  any[0][0] = 1;
  any[rows - 1][length - 1] = 1;
  return {normal({rows, length}).to(type), normal({rows, length}).to(type), random_mask(rows, length), any};
}

Tensor typed(const Tensor& mask, at::ScalarType type) {
  const at::ScalarType types[] = {type, at::kBool, at::kLong, at::kDouble};
  return mask.to(types[integer(0, 3)]);
}

// Not contiguous, hence for the operators.
Tensor aside(const Tensor& x) {
  return at::stack({x, x}, -1).select(-1, 0);
}

double tolerance(at::ScalarType type) {
  return type == at::kFloat ? 2e-5 : 1e-12;
}

template <class F>
void for_both_types(const F& f) {
  for (const auto type : {at::kFloat, at::kDouble}) for_draws(200, [&] { f(type); });
}

TEST(FusedSteps, GaeEqualsTheOperators) {
  for_both_types([](at::ScalarType type) {
    const auto s = random_steps(type);
    const auto mask = typed(s.left, type);
    const auto r = spoiled(s.rewards, mask), v = spoiled(s.values, mask);
    const double gamma = uniform({}).item<double>(), lam = uniform({}).item<double>();
    const auto fast = fused_gae(r, v, mask, gamma, lam);
    ASSERT_TRUE(fast.has_value());
    const auto wide = aside(r);
    if (!wide.is_contiguous()) {
      EXPECT_FALSE(fused_gae(wide, v, mask, gamma, lam).has_value());
    }
    const auto twin = gae(r.clone().set_requires_grad(true), v, mask, {gamma, lam});
    expect_close(fast->advantages, twin.advantages.detach(), tolerance(type));
    expect_close(fast->returns, twin.returns.detach(), tolerance(type));
    expect_close(fused_gae(r, v, mask, gamma, lam, false)->returns, fast->returns, 0);
    EXPECT_EQ(fast->returns.scalar_type(), type);
  });
}

TEST(FusedSteps, ReturnsAndTheirDerivativeEqualTheOperators) {
  for_both_types([](at::ScalarType type) {
    const auto s = random_steps(type);
    const auto mask = typed(s.any, type);
    const auto r = spoiled(s.rewards, mask);
    const double gamma = uniform({}).item<double>();
    const auto tracked = r.clone().set_requires_grad(true);
    expect_close(*fused_returns(r, mask, gamma), returns_to_go(tracked, mask, gamma).detach(),
                 tolerance(type));
    expect_close(*fused_returns_derivative(r, mask, gamma),
                 returns_gamma_derivative(tracked, mask, gamma).detach(), 10 * tolerance(type));
  });
}

TEST(FusedSteps, WhitenEqualsTheOperators) {
  for_both_types([](at::ScalarType type) {
    const auto s = random_steps(type);
    if (s.any.sum().item<double>() < 2) return;
    const auto mask = typed(s.any, type);
    const auto x = spoiled(s.rewards, mask);
    for (const bool shift : {false, true}) {
      const auto twin = masked_whiten(x.clone().set_requires_grad(true), mask, {shift});
      expect_close(*fused_whiten(x, mask, shift, 1e-8), twin.detach(), 10 * tolerance(type));
    }
  });
}

TEST(FusedSteps, LeavesWhatIsRefusedToTheOperators) {
  const auto x = at::zeros({9, 150}), ones = at::ones_like(x), nothing = at::zeros_like(x);
  auto nan = x.clone(), hole = ones.clone();
  nan[8][149] = std::nan("");
  hole[3][127] = 0;  // across two blocks
  EXPECT_FALSE(fused_gae(nan, x, ones, 1, 1));
  EXPECT_FALSE(fused_gae(x, nan, ones, 1, 1));
  EXPECT_FALSE(fused_gae(x, x, hole, 1, 1));
  EXPECT_FALSE(fused_gae(x, x, nothing, 1, 1));
  EXPECT_FALSE(fused_gae(x, x, ones, 1.1, 1));
  EXPECT_FALSE(fused_returns(nan, ones, 1));
  EXPECT_FALSE(fused_returns(x, nothing, 1));
  EXPECT_FALSE(fused_whiten(nan, ones, true, 1e-8));
  EXPECT_TRUE(fused_returns(x, hole, 1));
  expect_error(ErrorKind::nan, "rewards", [&] { gae(nan, x, ones); });
  expect_error(ErrorKind::nan, "values", [&] { gae(x, nan, ones); });
  expect_error(ErrorKind::value, "mask", [&] { gae(x, x, hole); });
  expect_error(ErrorKind::empty, "mask", [&] { gae(x, x, nothing); });
  expect_error(ErrorKind::value, "gamma", [&] { gae(x, x, ones, {1.1, 1}); });
  expect_error(ErrorKind::nan, "rewards", [&] { returns_to_go(nan, ones, 1); });
  expect_error(ErrorKind::nan, "x", [&] { masked_whiten(nan, ones); });
}

}  // namespace
}  // namespace plaudit
