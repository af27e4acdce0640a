// The passes of a training step over rows of activations: RMSNorm, gated activations and the softmax over the
// vocabulary with their derivatives. Each reads its inputs and writes its results once. Storage is f32 or
// bf16, arithmetic f32; a result does not depend on how the rows are split over calls.
#pragma once

#include <cstdint>

namespace plaudit::decode {

struct Bf16;
enum class Act : int;

// y = x * rstd * weight with rstd = 1 / sqrt(mean(x^2) + eps), row by row.
template <class X, class Y>
struct RmsTask {
  const X* x;  // [rows, width]
  int64_t rows, width;
  const float* weight;  // [width], as it multiplies
  float eps;
  Y* y;
  float* rstd;  // [rows]
};

// dx, and the weight's gradient added to dweight [width] (null: not wanted).
template <class X, class Y>
struct RmsBackwardTask {
  const Y* grad;  // [rows, width]
  const X* x;
  int64_t rows, width;
  const float* weight;
  const float* rstd;
  X* dx;
  float* dweight;
};

// y = act(gate) * up, element by element; up null: act(gate).
template <class T>
struct GateTask {
  const T* gate;
  const T* up;
  int64_t n;
  Act act;
  T* y;
};

template <class T>
struct GateBackwardTask {
  const T* grad;
  const T* gate;
  const T* up;  // null: no gate; then dup is not written
  int64_t n;
  Act act;
  T* dgate;
  T* dup;
};

// Of rows of logits times inverse_temperature: that of one token (0 where `targets` lies outside), and the
// entropy and logsumexp of the law that is their softmax.
template <class T>
struct LogpsTask {
  const T* logits;  // [rows, vocab]
  int64_t rows, vocab;
  const int64_t* targets;  // [rows]
  float inverse_temperature;
  float *chosen, *entropy, *lse;  // [rows]
};

// Overwrites the logits with the derivative, given those of log p, entropy and logsumexp (null: none). The
// law is that of `lse` and `entropy`, of which these logits may be a part; a target outside of them has no
// share.
template <class T>
struct LogpsBackwardTask {
  T* logits;
  int64_t rows, vocab;
  const int64_t* targets;
  float inverse_temperature;
  const float *lse, *entropy;
  const float *grad_logps, *grad_entropy, *grad_lse;
};

template <class T>
struct LogpsKernels {
  void (*forward)(const LogpsTask<T>&);
  void (*backward)(const LogpsBackwardTask<T>&);
};

template <class X, class Y>
struct RmsKernels {
  void (*forward)(const RmsTask<X, Y>&);
  void (*backward)(const RmsBackwardTask<X, Y>&);
};

template <class T>
struct GateKernels {
  void (*forward)(const GateTask<T>&);
  void (*backward)(const GateBackwardTask<T>&);
};

// By the types of x and y: the residual stream is f32 where products are bf16.
struct RowKernels {
  RmsKernels<float, float> rms_f32;
  RmsKernels<float, Bf16> rms_f32_bf16;
  RmsKernels<Bf16, float> rms_bf16_f32;
  RmsKernels<Bf16, Bf16> rms_bf16;
  GateKernels<float> gate_f32;
  GateKernels<Bf16> gate_bf16;
  LogpsKernels<float> logps_f32;
  LogpsKernels<Bf16> logps_bf16;
};

}  // namespace plaudit::decode
