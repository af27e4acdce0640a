#include "plaudit/model/decode_linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "plaudit/core/rng.h"

namespace plaudit::decode {
namespace {

at::Tensor noise(const std::string& name, at::IntArrayRef sizes) {
  return Rng(5, name).normal_tensor(sizes) * 0.3;
}

// x [rows, in], padded with zeros to even, in the element type T.
template <class T>
at::Tensor padded(const at::Tensor& x, int64_t depth) {
  return at::constant_pad_nd(x, {0, depth - x.size(1)}).to(kScalarType<T>).contiguous();
}

template <class T>
const T* elements(const at::Tensor& t) {
  return static_cast<const T*>(t.const_data_ptr());
}

template <class T>
class PackedMatrixTest : public ::testing::Test {};
using ElementTypes = ::testing::Types<float, Bf16>;
TYPED_TEST_SUITE(PackedMatrixTest, ElementTypes);

// Every instruction set, against at::linear on the same rounded operands.
TYPED_TEST(PackedMatrixTest, EqualsLinear) {
  using T = TypeParam;
  for (const auto* set : supported_kernels()) {
    for (const auto& [out, in] : {std::pair{32, 16}, {70, 33}, {5, 7}, {161, 64}, {33, 410}}) {
      const auto weight = noise("w", {out, in}), bias = noise("b", {out});
      const PackedMatrix<T> matrix(weight, bias);
      for (const int64_t rows : {1, 2, 5, 12, 16, 17, 33, 101}) {
        const auto x = padded<T>(noise("x", {rows, in}), matrix.depth());
        const at::Tensor expected =
            at::linear(x.narrow(1, 0, in).to(at::kFloat), weight.to(kScalarType<T>).to(at::kFloat), bias);
        const at::Tensor y = at::ones({rows, out});
        matrix.apply(*set, elements<T>(x), matrix.depth(), rows,
                     {.store = Store::add, .f32 = y.template mutable_data_ptr<float>(), .stride = out});
        EXPECT_LT((y - 1 - expected).abs().max().template item<float>(), 1e-5)
            << set->name << out << "x" << in;
      }
    }
  }
}

TYPED_TEST(PackedMatrixTest, GatesAndActivates) {
  using T = TypeParam;
  const int64_t in = 24, out = 37, rows = 3;
  const auto gate = noise("g", {out, in}), up = noise("u", {out, in}), bias = noise("b", {out});
  const auto rounded = [](const at::Tensor& t) { return t.to(kScalarType<T>).to(at::kFloat); };
  const auto gated = PackedMatrix<T>::gated(gate, up, bias, bias);
  const auto x = padded<T>(noise("x", {rows, in}) * 4, gated.depth());
  const auto g = at::linear(rounded(x), rounded(gate), bias), u = at::linear(rounded(x), rounded(up), bias);
  const std::vector<std::pair<Act, at::Tensor>> activations = {{Act::silu, at::silu(g)},
                                                               {Act::gelu, at::gelu(g)},
                                                               {Act::gelu_tanh, at::gelu(g, "tanh")},
                                                               {Act::quick_gelu, g * at::sigmoid(1.702 * g)}};
  for (const auto* set : supported_kernels()) {
    for (const auto& [act, activated] : activations) {
      const auto y = at::zeros({rows, out}, kScalarType<T>);
      gated.apply(*set, elements<T>(x), gated.depth(), rows,
                  {.store = Store::gate, .narrow = static_cast<T*>(y.data_ptr()), .stride = out, .act = act});
      EXPECT_TRUE(at::allclose(rounded(y), rounded(activated * u), 1e-2 / (sizeof(T) == 4 ? 1000 : 1), 2e-5))
          << set->name << static_cast<int>(act);
      const PackedMatrix<T> plain(gate, bias);
      plain.apply(*set, elements<T>(x), plain.depth(), rows,
                  {.store = Store::act, .narrow = static_cast<T*>(y.data_ptr()), .stride = out, .act = act});
      EXPECT_TRUE(at::allclose(rounded(y), rounded(activated), 1e-2 / (sizeof(T) == 4 ? 1000 : 1), 2e-5))
          << set->name << static_cast<int>(act);
    }
  }
}

// A row's result has the same bits whatever is computed beside it.
TYPED_TEST(PackedMatrixTest, RowsDoNotDependOnTheirNeighbours) {
  using T = TypeParam;
  const int64_t out = 96, rows = 31;
  for (const int64_t in : {130, 416}) {
    const PackedMatrix<T> matrix(noise("w", {out, in}));
    const auto x = padded<T>(noise("x", {rows, in}), matrix.depth());
    for (const auto* set : supported_kernels()) {
      const auto all = at::empty({rows, out}), one = at::empty({1, out});
      matrix.apply(*set, elements<T>(x), matrix.depth(), rows,
                   {.f32 = all.mutable_data_ptr<float>(), .stride = out});
      for (int64_t r = 0; r < rows; ++r) {
        matrix.apply(*set, elements<T>(x) + r * matrix.depth(), matrix.depth(), 1,
                     {.f32 = one.mutable_data_ptr<float>(), .stride = out});
        EXPECT_TRUE(at::equal(one[0], all[r])) << set->name << " row " << r << " of depth " << in;
      }
    }
  }
}

TYPED_TEST(PackedMatrixTest, GivesRowsBack) {
  using T = TypeParam;
  const auto weight = noise("w", {45, 19});
  const PackedMatrix<T> matrix(weight);
  const auto row = at::empty({19});
  matrix.row(40, row.mutable_data_ptr<float>());
  EXPECT_TRUE(at::equal(row, weight[40].to(kScalarType<T>).to(at::kFloat)));
}

TEST(VectorKernels, ExpSumAndMax) {
  const auto x = (Rng(2, "x").normal_tensor({2500}) * 20).contiguous();
  const auto* data = x.const_data_ptr<float>();
  const auto largest = x.max().item<float>();
  // The argument is rounded to f32, as the kernels do; far from the maximum its rounding alone exceeds 1e-6.
  const auto expected = at::exp(((x - largest) * 0.5).to(at::kDouble));
  for (const auto* set : supported_kernels()) {
    std::vector<double> sums(3);
    const auto out = at::empty({2500});
    EXPECT_EQ(set->vector.max(data, 2500), largest);
    const double total =
        set->vector.exp_sum(data, 2500, largest, 0.5f, out.mutable_data_ptr<float>(), sums.data());
    EXPECT_NEAR(total / expected.sum().item<double>(), 1, 1e-6) << set->name;
    EXPECT_NEAR(sums[0] + sums[1] + sums[2], total, 1e-9);
    EXPECT_TRUE(at::allclose(out.to(at::kDouble), expected, 1e-6, 1e-30)) << set->name;
  }
}

}  // namespace
}  // namespace plaudit::decode
