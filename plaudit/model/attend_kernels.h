// Attention of training steps, part of the kernels of decode_kernels.h: segments of queries against the keys
// of their tree, forward and backward, in f32 whatever the type in memory.
#pragma once

#include <cstdint>

#include "plaudit/model/decode_kernels.h"

namespace plaudit::decode {

// Rows [begin, end) of a packed batch. A query sees its own segment up to itself, and the segments above.
struct TreeSegment {
  int64_t begin = 0, end = 0;
  int64_t parent = -1;         // in the same tree, before this one; -1: none
  int64_t first_position = 0;  // of row `begin`; the rows after it count on
  int64_t column = 0;          // where its keys lie among those of the tree, each segment padded to kPanel
};

// Row n of head h begins at data + n * stride + h * width, width being the size of a head.
template <class T>
struct HeadRows {
  T* data = nullptr;
  int64_t stride = 0;
};

// The query heads that share one key-value head, over one tree.
template <class T>
struct TreeTask {
  const TreeSegment* segments = nullptr;  // parents first
  int64_t n_segments = 0, columns = 0;
  int64_t q_heads = 1, head_dim = 0;
  HeadRows<const T> q, k, v;                   // before rotation
  const float *cos = nullptr, *sin = nullptr;  // [N, head_dim / 2], or null: no rotation
  float scale = 1;
  int64_t window = 0;  // keys that a query sees, itself included; 0: all

  HeadRows<T> out;      // forward writes, backward reads
  HeadRows<float> lse;  // log-sum-exp of a query's scores, one per head
  HeadRows<const T> grad;
  HeadRows<T> dq;
  HeadRows<float> dk, dv;

  float* scratch = nullptr;  // 64-byte aligned, of scratch_floats()
};

struct AttendKernels {
  // Floats of scratch for a task of these sizes.
  int64_t (*scratch_floats)(int64_t n_segments, int64_t columns, int64_t head_dim, bool backward);
  void (*forward_f32)(const TreeTask<float>&);
  void (*backward_f32)(const TreeTask<float>&);
  void (*forward_bf16)(const TreeTask<Bf16>&);
  void (*backward_bf16)(const TreeTask<Bf16>&);
};

inline void attend_forward(const AttendKernels& kernels, const TreeTask<float>& task) {
  kernels.forward_f32(task);
}
inline void attend_forward(const AttendKernels& kernels, const TreeTask<Bf16>& task) {
  kernels.forward_bf16(task);
}
inline void attend_backward(const AttendKernels& kernels, const TreeTask<float>& task) {
  kernels.backward_f32(task);
}
inline void attend_backward(const AttendKernels& kernels, const TreeTask<Bf16>& task) {
  kernels.backward_bf16(task);
}

}  // namespace plaudit::decode
