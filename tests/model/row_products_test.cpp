#include "plaudit/model/row_products.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "plaudit/core/parallel.h"

namespace plaudit {
using at::Tensor;
namespace {

// The largest difference from the product in f64, in units of the rounding of one bf16 result.
double roundings(const Tensor& ours, const Tensor& exact) {
  return ((ours.to(at::kDouble) - exact).abs() / (exact.abs() / 256 + 1e-2)).max().item<double>();
}

Tensor exact_product(const Tensor& a, const Tensor& b) {
  return at::mm(a.to(at::kDouble), b.to(at::kDouble));
}

TEST(RowProducts, ATransposedMatrixOfAnySizeIsCopiedExactly) {
  for (int64_t rows : {1, 7, 8, 9, 31, 32, 33, 70})
    for (int64_t columns : {1, 5, 8, 16, 33, 65}) {
      const auto from = at::randn({columns, rows + 3}).to(at::kBFloat16).narrow(1, 2, rows).t();
      const auto to = at::zeros({rows, columns + 4}, from.options()).narrow(1, 0, columns);
      copy_transposed(to, from);
      EXPECT_TRUE(at::equal(to, from)) << rows << " x " << columns;
    }
}

TEST(RowProducts, RowsOfEachThreadAreThoseOfTheProduct) {
  for (const int threads : {1, 2}) {
    const ThreadLimit limit(threads);
    for (const auto type : {at::kBFloat16, at::kFloat})
      for (int64_t rows : {0, 1, 100, 257, 1100})
        for (const bool transposed : {false, true}) {
          const int64_t inner = 96, columns = rows == 257 ? 40 : 72;  // narrow ones are another's
          const auto a =
              transposed ? at::randn({inner, rows}).to(type).t() : at::randn({rows, inner}).to(type);
          const auto b = at::randn({columns, inner}).to(type).t(), bias = at::randn({columns}).to(type);
          const auto exact = exact_product(a, b);
          const auto sum = at::ones({rows, columns});
          const auto narrow_sum = at::ones({rows, columns}, a.options());
          const auto plain = product(a, b), biased = product(a, b, bias);
          EXPECT_EQ(plain.scalar_type(), type);
          add_product(narrow_sum, a, b);
          if (type == at::kBFloat16) add_product(sum, a, b);
          if (rows == 0) continue;
          EXPECT_LT(roundings(plain, exact), 1) << rows << transposed << type;
          EXPECT_LT(roundings(biased, exact + bias.to(at::kDouble)), 1) << rows << transposed << type;
          EXPECT_LT(roundings(narrow_sum, exact + 1), 1) << rows << transposed << type;
          if (type == at::kBFloat16) {
            EXPECT_LT(roundings(sum - 1, exact), 1) << rows << transposed;
          }
        }
  }
}

TEST(RowProducts, WidenedProductsAreRoundedOnce) {
  const auto a = at::randn({70, 50}).to(at::kBFloat16), b = at::randn({30, 50}).to(at::kBFloat16).t();
  const auto bias = at::randn({30}).to(at::kBFloat16);
  const auto exact = exact_product(a, b);
  auto out = at::empty({70, 30}, a.options());
  widened_product(out, a, b, bias);
  EXPECT_LT(roundings(out, exact + bias.to(at::kDouble)), 1);
  out.fill_(3);
  widened_product(out, a, b, {}, 1, 0.5);
  EXPECT_LT(roundings(out, 3 + exact / 2), 1);
  widened_product(out, a, b, {}, 0, 0.5);
  EXPECT_LT(roundings(out, exact / 2), 1);
  auto wide = at::full({70, 30}, 3.0F);
  widened_product(wide, a, b, {}, 1, 2);
  EXPECT_LT(((wide - 3).to(at::kDouble) - 2 * exact).abs().max().item<double>(), 1e-4);
}

TEST(RowProducts, AProductMayBeScaledBeforeItIsAdded) {
  for (const auto type : {at::kBFloat16, at::kFloat}) {
    const auto a = at::randn({600, 32}).to(type), b = at::randn({32, 70}).to(type);
    const auto sum = at::ones({600, 70}, a.options());
    add_product(sum, a, b, 0.25);
    EXPECT_LT(roundings(sum, 1 + exact_product(a, b) / 4), 1) << type;
  }
}

TEST(RowProducts, ParametersThatRequireGradientsMayBeFactors) {
  const auto a = at::randn({600, 32}).to(at::kBFloat16), w = at::randn({16, 32}).to(at::kBFloat16);
  const auto leaf = w.clone().requires_grad_();
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(at::equal(product(a, leaf.t()), product(a, w.t())));
}

TEST(RowProducts, AFactorWithoutColumnsGivesZeros) {
  const auto none = at::empty({4, 0}, at::kBFloat16);
  EXPECT_TRUE(at::equal(product(none, none.t()), at::zeros({4, 4}, at::kBFloat16)));
}

}  // namespace
}  // namespace plaudit
