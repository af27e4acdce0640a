// Sixteen floats at a time, in the instruction set of the including file (see decode_kernels_impl.h).
// GCC's vector types lower to whatever the instruction set has.
#pragma once

#include <cstdint>

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#include "plaudit/model/decode_kernels.h"

#define PLAUDIT_INLINE __attribute__((always_inline)) inline

namespace plaudit::decode {
namespace {  // per file: the same functions exist once per instruction set

using V = float __attribute__((vector_size(64)));
using I = int32_t __attribute__((vector_size(64)));
using U = uint32_t __attribute__((vector_size(64)));
using H = uint16_t __attribute__((vector_size(32)));
// Anywhere in memory. (Typedefs: clang drops `aligned` in a using-declaration without a word.)
typedef float LooseV __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint32_t LooseU __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint16_t LooseH __attribute__((vector_size(32), aligned(2), may_alias));
typedef uint32_t LooseWord __attribute__((aligned(2), may_alias));
static_assert(alignof(LooseV) == 4 && alignof(LooseU) == 4 && alignof(LooseH) == 2 &&
              alignof(LooseWord) == 2);

PLAUDIT_INLINE V splat(float s) {
  return V{s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s};
}
PLAUDIT_INLINE I splat(int32_t s) {
  return I{s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s};
}
PLAUDIT_INLINE U splat(uint32_t s) {
  return U{s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s};
}
PLAUDIT_INLINE V load(const float* p) {
  return *reinterpret_cast<const LooseV*>(p);
}
PLAUDIT_INLINE void save(float* p, V v) {
  *reinterpret_cast<LooseV*>(p) = v;
}

// Rounds to the nearest bf16, ties to even.
PLAUDIT_INLINE void save(Bf16* p, V v) {
  const U bits = reinterpret_cast<U>(v);
  const U rounded = (bits + splat(0x7FFFu) + ((bits >> 16) & splat(1u))) >> 16;
  *reinterpret_cast<LooseH*>(p) = __builtin_convertvector(rounded, H);
}
PLAUDIT_INLINE float widened_one(float x) {
  return x;
}
PLAUDIT_INLINE float widened_one(Bf16 x) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(x.bits) << 16);
}
PLAUDIT_INLINE void save_one(float* p, float x) {
  *p = x;
}
PLAUDIT_INLINE void save_one(Bf16* p, float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  p->bits = static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

PLAUDIT_INLINE V vmax(V a, V b) {
  return a > b ? a : b;
}
PLAUDIT_INLINE V vmin(V a, V b) {
  return a < b ? a : b;
}
// The largest element, or `least` where none is above it; one that is not a number is not above.
PLAUDIT_INLINE float greatest(V v, float least) {
  for (int i = 0; i < 16; ++i) least = v[i] > least ? v[i] : least;
  return least;
}
PLAUDIT_INLINE float sum(V v) {
  float s[16];
  save(s, v);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) s[i] += s[i + half];
  return s[0];
}

// Within 2 ulp on [-87, 88]; 0 below.
PLAUDIT_INLINE V vexp(V x) {
  const V magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to whole numbers
  const V clamped = vmin(vmax(x, splat(-87.0f)), splat(88.0f));
  const V shifted = clamped * splat(1.44269504f) + magic;
  const V n = shifted - magic;
  const V r = clamped - n * splat(0.693359375f) - n * splat(-2.12194440e-4f);
  V p = splat(1.9875691500e-4f);
  p = p * r + splat(1.3981999507e-3f);
  p = p * r + splat(8.3334519073e-3f);
  p = p * r + splat(4.1665795894e-2f);
  p = p * r + splat(1.6666665459e-1f);
  p = p * r + splat(5.0000001201e-1f);
  p = p * r * r + r + splat(1.0f);
  // n sits in the low bits of `shifted`: moved to the exponent it multiplies by 2^n.
  const I exponent = reinterpret_cast<I>(shifted) << 23;
  const V scaled = reinterpret_cast<V>(reinterpret_cast<I>(p) + exponent);
  return x < splat(-87.0f) ? V{} : scaled;
}

PLAUDIT_INLINE V vtanh(V x) {
  return splat(1.0f) - splat(2.0f) / (vexp(x + x) + splat(1.0f));
}

// The normal distribution function, within 2e-7: with z = |x| / sqrt(2), erfc(z) exp(z^2) is a polynomial of
// 1 / (1 + z/2) within 5e-8 of itself (weighted least squares for z in [0, 9.5]).
PLAUDIT_INLINE V normal_cdf(V x) {
  const V t = splat(1.0f) / (splat(1.0f) + splat(0.35355339f) * (x < V{} ? -x : x));
  V p = splat(-0.0588909232f);
  p = p * t + splat(0.283702643f);
  p = p * t + splat(-0.485385005f);
  p = p * t + splat(0.275979509f);
  p = p * t + splat(-0.025178517f);
  p = p * t + splat(0.202070142f);
  p = p * t + splat(0.243260941f);
  p = p * t + splat(0.282353492f);
  p = p * t + splat(0.282087676f);
  const V tail = splat(0.5f) * p * t * vexp(splat(-0.5f) * x * x);
  return x > V{} ? splat(1.0f) - tail : tail;
}

PLAUDIT_INLINE V activate(V x, Act act) {
  switch (act) {
    case Act::none:
      return x;
    case Act::silu:
      return x / (splat(1.0f) + vexp(-x));
    case Act::quick_gelu:
      return x / (splat(1.0f) + vexp(splat(-1.702f) * x));
    case Act::gelu_tanh:
      return splat(0.5f) * x * (splat(1.0f) + vtanh(splat(0.79788456f) * (x + splat(0.044715f) * x * x * x)));
    case Act::gelu:
      break;
  }
  return x * normal_cdf(x);
}

// One step of the summed dimension: a float, or a pair of bf16.
template <class T>
struct Step;
template <>
struct Step<float> {
  static constexpr int64_t kDepth = 1;
  static PLAUDIT_INLINE V weights(const float* p) { return load(p); }
  static PLAUDIT_INLINE V add(V sum, V weights, const float* x) { return sum + weights * splat(*x); }
};
template <>
struct Step<Bf16> {
  static constexpr int64_t kDepth = 2;
  static PLAUDIT_INLINE U weights(const Bf16* p) { return *reinterpret_cast<const LooseU*>(p); }
  static PLAUDIT_INLINE V add(V sum, U weights, const Bf16* x) {
    const uint32_t pair = *reinterpret_cast<const LooseWord*>(x);
#ifdef __AVX512BF16__
    return reinterpret_cast<V>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                                                reinterpret_cast<__m512bh>(weights),
                                                reinterpret_cast<__m512bh>(splat(pair))));
#else
    const V low = reinterpret_cast<V>(weights << 16),
            high = reinterpret_cast<V>(weights & splat(0xFFFF0000u));
    const U both = splat(pair);
    const V x_low = reinterpret_cast<V>(both << 16), x_high = reinterpret_cast<V>(both & splat(0xFFFF0000u));
    return sum + low * x_low + high * x_high;
#endif
  }
};

}  // namespace
}  // namespace plaudit::decode
