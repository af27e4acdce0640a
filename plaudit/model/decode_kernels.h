// The inner loops of decoding, compiled once per instruction set and chosen at run time.
//
// Every result row depends on its own input row alone, and is summed in an order that does not depend on how
// many rows are computed together: an answer is the same whatever shares its batch.
//
// Two element types: float, and Bf16 with products of bf16 and sums in f32. Depths (the summed dimension) are
// padded with zeros to an even number.
#pragma once

#include <cstdint>
#include <vector>

#include "plaudit/model/row_kernels.h"
#include "plaudit/model/step_kernels.h"

namespace plaudit::decode {

// The upper half of a float.
struct Bf16 {
  uint16_t bits;
};

inline float widen(float x) {
  return x;
}
inline float widen(Bf16 x) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(x.bits) << 16);
}
// The nearest bf16, ties to even.
inline Bf16 to_bf16(float x) {
  const auto bits = __builtin_bit_cast(uint32_t, x);
  return {static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16)};
}
template <class T>
T narrowed(float x) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return x;
  } else {
    return to_bf16(x);
  }
}

inline constexpr int64_t kPanel = 32;      // columns of a matrix that lie together
inline constexpr int64_t kBlockKeys = 64;  // keys of a cache block, a multiple of kPanel

enum class Act : int { none, silu, gelu, gelu_tanh, quick_gelu };

// What becomes of the products.
enum class Store : int {
  set,   // out_f32 = product
  add,   // out_f32 += product (the residual stream)
  act,   // out_t = act(product)
  gate,  // out_t[j] = act(product[j]) * product[16 + j]: a panel holds 16 gates, then 16 ups
};

// Panels of a matrix [out, in], each [depth/2][32][2] (Bf16) or [depth][32] (float), times rows of x.
template <class T>
struct PanelTask {
  const T* x;  // [rows, x_stride]
  int64_t x_stride, rows;
  const T* panels;
  int64_t depth, first_panel, last_panel, columns;  // columns of the whole result
  const float* bias;                                // [panels * 32] or null
  Store store;
  Act act;
  float* out_f32;
  T* out_t;
  int64_t out_stride;
};

// Keys [kBlockKeys/32 panels] of depth head_dim and values [head_dim/32 panels] of depth kBlockKeys.
template <class T>
struct KeyBlock {
  const T* keys;
  const T* values;
  int64_t first;  // position of the first key
  int64_t count;  // keys that are filled
};

// Rows of queries against the same keys: softmax(q k) v over the keys that each may see.
template <class T>
struct AttendTask {
  const T* q;  // [rows, depth], scaled; rows <= kAttendRows
  int64_t rows, head_dim, depth;
  const int64_t* positions;  // [rows]
  const KeyBlock<T>* blocks;
  int64_t n_blocks;
  int64_t window;  // keys that a query sees, itself included; 0: all
  float softcap;   // 0: none
  float* scores;   // scratch [rows, n_blocks * kBlockKeys]
  T* weights;      // scratch, same shape
  float* out;      // [rows, head_dim rounded up to 32]
};

inline constexpr int64_t kAttendRows = 12;

// y = (x - mean) / sqrt(var + eps) * weight + bias, or without mean and bias.
struct NormTask {
  const float* x;
  int64_t n;
  const float* weight;
  const float* bias;
  bool center;
  float eps;
};

template <class T>
struct Kernels {
  void (*panels)(const PanelTask<T>&);
  void (*attend)(const AttendTask<T>&);
  void (*norm)(const NormTask&, T* out);
  void (*narrow)(const float* x, int64_t n, T* out);
};

struct VectorKernels {
  // The largest value; NaN when there is one.
  float (*max)(const float* x, int64_t n);
  // out[i] = exp((x[i] - shift) * scale), 0 where x is -inf; sums[b] adds those of block b of 1024; returns
  // the sum. `out` and `sums` may be null.
  double (*exp_sum)(const float* x, int64_t n, float shift, float scale, float* out, double* sums);
  // The sum of a[i] b[i].
  double (*dot)(const double* a, const double* b, int64_t n);
  // y[i] += scale x[i].
  void (*add_scaled)(double scale, const double* x, int64_t n, double* y);
};
inline constexpr int64_t kExpBlock = 1024;

struct AttendKernels;  // attend_kernels.h

struct KernelSet {
  const char* name;  // "avx512_amx", "avx512_bf16", "avx512", "avx2", "generic"
  bool native_bf16;
  Kernels<float> f32;
  Kernels<Bf16> bf16;
  VectorKernels vector;
  RowKernels rows;
  StepKernels steps;
  const AttendKernels* attend;

  template <class T>
  const Kernels<T>& of() const;
};
template <>
inline const Kernels<float>& KernelSet::of<float>() const {
  return f32;
}
template <>
inline const Kernels<Bf16>& KernelSet::of<Bf16>() const {
  return bf16;
}

// The best set that this processor runs.
const KernelSet& kernels();
// All sets that this processor runs, best first.
std::vector<const KernelSet*> supported_kernels();

}  // namespace plaudit::decode
