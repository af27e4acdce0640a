// Causal attention over packed segments: a token sees its own segment up to itself, and the segments above it
// (data/packing.h), within the window of a sliding layer.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "plaudit/data/packing.h"
#include "plaudit/model/rope.h"

namespace plaudit {

// Rows [q_begin, q_end) look at rows [k_begin, k_end). The blocks of a segment are its own, causal, and one
// for each ancestor that it can see; their results are merged by their log-sum-exps, so that no key is copied
// and no mask is built except at the edge of a window.
struct AttentionBlock {
  int64_t q_begin = 0, q_end = 0, k_begin = 0, k_end = 0;
  bool causal = false;
  at::Tensor mask;  // [1, 1, queries, keys] f32, 0 or -inf; undefined: none
};

struct AttentionPlan {
  std::vector<std::vector<AttentionBlock>> segments;  // per segment, its own block first
  bool shared = false;                                // some segment has a parent
};

// `window` 0: none. UserError (value) unless parents come before their children and segments are in order.
AttentionPlan plan_attention(const PackedBatch& batch, int64_t window);

struct AttentionOptions {
  double scale = 1;
  std::optional<double> softcap;
  RopeTable rope;  // undefined tensors: none
};

// q [N, Hq, d], k and v [N, Hkv, d] before rotation -> [N, Hq, d]; query head i uses kv head i*Hkv/Hq. Keeps
// the rotated q and k, v, the result and one number per row and head; differentiable.
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
