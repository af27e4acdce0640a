// Recursions over the steps of trajectories, y_t = x_t + d_t y_{t+1}, with the masks, differences and checks
// around them: every input is read and every result written once. Rows [rows, length] lie one after another;
// a result does not depend on how rows are split over calls.
#pragma once

#include <cstdint>

namespace plaudit::decode {

// What was found in the inputs.
struct StepsFound {
  bool any = false;   // a valid step
  bool bad = false;   // NaN or infinity at a valid step
  bool hole = false;  // a valid step after an invalid one
};

template <class T>
struct ScanTask {
  const T* x;
  int64_t rows, length;
  T decay;          // of every step,
  const T* decays;  // unless these are given, [rows, length]
  T* y;
};

// GAE: advantages are the scan of r_t + gamma v_{t+1} - v_t by gamma lam, returns advantages + v; inputs are
// 0 under the mask.
template <class T, class M>
struct GaeTask {
  const T *rewards, *values;
  const M* mask;  // valid where nonzero
  int64_t rows, length;
  T gamma, decay;
  T *advantages, *returns;  // advantages may be null
  bool stream_returns;      // past the cache, to leave it to the other arrays
};

// G_t = r_t + gamma G_{t+1}; with `derivative` instead dG_t = G_{t+1} + gamma dG_{t+1}. 0 under the mask.
template <class T, class M>
struct ReturnsTask {
  const T* rewards;
  const M* mask;
  int64_t rows, length;
  T gamma;
  bool derivative;
  T* y;
};

// A row's valid elements: how many, their mean, and the squares about it.
struct RowMoments {
  int64_t count = 0;
  double mean = 0, squares = 0;
  bool bad = false;  // NaN or infinity among them
};

// y = (x - mean) scale + shift where valid, else 0.
template <class T, class M>
struct RescaleTask {
  const T* x;
  const M* mask;
  int64_t n;
  T mean, scale, shift;
  T* y;
};

template <class T, class M>
struct WhitenKernels {
  RowMoments (*moments)(const T* x, const M* mask, int64_t n);
  void (*rescale)(const RescaleTask<T, M>&);
};

template <class T>
struct StepKernelsOf {
  void (*scan)(const ScanTask<T>&);
  StepsFound (*gae)(const GaeTask<T, T>&);
  StepsFound (*gae_u8)(const GaeTask<T, uint8_t>&);
  StepsFound (*returns)(const ReturnsTask<T, T>&);
  StepsFound (*returns_u8)(const ReturnsTask<T, uint8_t>&);
  WhitenKernels<T, T> whiten;
  WhitenKernels<T, uint8_t> whiten_u8;
};

struct StepKernels {
  StepKernelsOf<float> f32;
  StepKernelsOf<double> f64;
};

}  // namespace plaudit::decode
