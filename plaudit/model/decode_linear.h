// Weight matrices laid out for decoding: panels of 32 outputs, read front to back once per product.
//
// Thread-safe once built. The weights are copied: later changes of the tensor do not show.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "plaudit/model/decode_kernels.h"

namespace plaudit::decode {

// The scalar type of a tensor that holds elements of type T.
template <class T>
inline constexpr at::ScalarType kScalarType = at::kFloat;
template <>
inline constexpr at::ScalarType kScalarType<Bf16> = at::kBFloat16;

// n rounded up to a multiple.
constexpr int64_t round_up(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Where the products of PackedMatrix::apply go; see Store.
template <class T>
struct Output {
  Store store = Store::set;
  float* f32 = nullptr;  // set, add
  T* narrow = nullptr;   // act, gate
  int64_t stride = 0;
  Act act = Act::none;
};

template <class T>
class PackedMatrix {
 public:
  PackedMatrix() = default;
  // weight [out, in], bias [out] or undefined.
  explicit PackedMatrix(const at::Tensor& weight, const at::Tensor& bias = {});
  // For Store::gate: gate and up [out, in] each, with biases [out] or undefined.
  static PackedMatrix gated(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& gate_bias = {},
                            const at::Tensor& up_bias = {});

  // x [rows, stride], of which the first depth() elements of a row count: in, padded with zeros to even.
  void apply(const KernelSet& set, const T* x, int64_t stride, int64_t rows, const Output<T>& out) const;

  // Row i of the weight, [in].
  void row(int64_t i, float* out) const;

  int64_t out() const { return out_; }
  int64_t in() const { return in_; }
  int64_t depth() const { return depth_; }

 private:
  int64_t out_ = 0, in_ = 0, depth_ = 0;
  at::Tensor panels_;  // [out/32, depth/2, 32, 2] or [out/32, depth, 32]
  at::Tensor bias_;    // [out rounded up to 32] f32, or undefined
};

extern template class PackedMatrix<float>;
extern template class PackedMatrix<Bf16>;

}  // namespace plaudit::decode
