#include "plaudit/model/multiply.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "plaudit/core/parallel.h"

namespace plaudit {
using at::Tensor;
namespace {

double distance(const Tensor& ours, const Tensor& exact) {
  return (ours.to(at::kDouble) - exact).abs().max().item<double>();
}

// [rows, columns] that lies row by row, column by column, or as a part of something wider.
Tensor laid_out(const std::string& how, int64_t rows, int64_t columns) {
  if (how == "transposed") return at::randn({columns, rows}).t();
  if (how == "part") return at::randn({rows, columns + 9}).narrow(1, 4, columns);
  return at::randn({rows, columns});
}

// Sizes on both sides of what is left to oneDNN, and at it.
TEST(Multiply, EveryLayoutSizeAndAddendGivesTheProduct) {
  struct Size {
    int64_t rows, inner, columns;
  };
  for (const int threads : {1, 2}) {
    const ThreadLimit limit(threads);
    for (const auto& size : {Size{3, 5, 2}, {256, 300, 1}, {256, 300, 7}, {256, 300, 8}, {129, 257, 65}})
      for (const std::string left : {"rows", "transposed", "part"})
        for (const std::string right : {"rows", "transposed", "part"})
          for (const std::string to : {"rows", "transposed", "part"}) {
            const auto where = left + " " + right + " " + to + " " + std::to_string(size.columns);
            const auto a = laid_out(left, size.rows, size.inner),
                       b = laid_out(right, size.inner, size.columns);
            const auto out = laid_out(to, size.rows, size.columns), before = out.clone();
            const auto bias = at::randn({size.columns});
            const auto exact = at::mm(a.to(at::kDouble), b.to(at::kDouble));
            multiply_into(out, a, b, out, 0.5);
            EXPECT_LT(distance(out, before + exact / 2), 2e-4) << where;
            multiply_into(out, a, b, bias);
            EXPECT_LT(distance(out, exact + bias), 2e-4) << where;
            multiply_into(out, a, b);
            EXPECT_LT(distance(out, exact), 2e-4) << where;
          }
  }
}

TEST(Multiply, OtherTypesAreTheirOwn) {
  for (const auto type : {at::kDouble, at::kBFloat16}) {
    const auto a = at::randn({200, 96}).to(type), b = at::randn({96, 64}).to(type);
    auto out = at::empty({200, 64}, a.options());
    multiply_into(out, a, b);
    EXPECT_TRUE(at::equal(out, at::mm(a, b))) << type;
  }
}

TEST(Multiply, ParametersMayBeFactorsAndEmptyOnesGiveNothingOrTheAddend) {
  const auto a = at::randn({200, 96}), b = at::randn({96, 64});
  auto out = at::empty({200, 64});
  const at::NoGradGuard no_grad;
  multiply_into(out, a.clone().requires_grad_(), b.clone().requires_grad_());
  EXPECT_LT(distance(out, at::mm(a.to(at::kDouble), b.to(at::kDouble))), 2e-4);
  multiply_into(out, a.narrow(1, 0, 0), b.narrow(0, 0, 0));
  EXPECT_TRUE(at::equal(out, at::zeros({200, 64})));
  multiply_into(out, a.narrow(1, 0, 0), b.narrow(0, 0, 0), at::ones({64}));
  EXPECT_TRUE(at::equal(out, at::ones({200, 64})));
}

}  // namespace
}  // namespace plaudit
