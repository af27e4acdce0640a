// Causal attention over packed segments: a token sees its own segment up to itself, and the segments above it
// (data/packing.h), within the window of a sliding layer.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "plaudit/data/packing.h"
#include "plaudit/model/attend_kernels.h"
#include "plaudit/model/rope.h"

namespace plaudit {

// Who sees whom: the segments of a batch by tree, parents first.
struct AttentionTree {
  std::vector<decode::TreeSegment> segments;
  int64_t columns = 0;  // keys, each segment padded
};

struct AttentionPlan {
  std::vector<AttentionTree> trees;
  int64_t window = 0;  // keys that a query sees, itself included; 0: all
};

// `window` 0: none. UserError (value) unless parents come before their children and segments are in order.
AttentionPlan plan_attention(const PackedBatch& batch, int64_t window);

struct AttentionOptions {
  double scale = 1;
  std::optional<double> softcap;
  RopeTable rope;  // undefined tensors: none
};

// q [N, Hq, d], k and v [N, Hkv, d] before rotation -> [N, Hq, d]; query head i uses kv head i*Hkv/Hq. On
// the CPU in f32 and bf16 it keeps q, k, v, the result and one number per row and head; differentiable.
at::Tensor packed_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const std::shared_ptr<const AttentionPlan>& plan,
                            const AttentionOptions& options);

// The definition. q [T, Hq, d], k and v [S, Hkv, d]; a query sees keys of its segment (segments [T] and [S],
// undefined: all one) at positions in (q - window, q]. Scores are scale * q.k, capped to c tanh(score/c).
// Kind value when a query sees no key. Differentiable.
struct AttentionParams {
  double scale = 1;
  std::optional<int64_t> window;
  std::optional<double> softcap;
};
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const at::Tensor& q_positions, const at::Tensor& k_positions,
                     const at::Tensor& q_segments, const at::Tensor& k_segments,
                     const AttentionParams& params);

// Scores, mask and softmax over [T, Hq, d]: what attention() does after its checks. `visible` [T, S].
at::Tensor masked_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const at::Tensor& visible, double scale, std::optional<double> softcap);

}  // namespace plaudit
