// Self-attention over a set, averaged: a summary that does not depend on the order or number of members.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Projections of the set members, each weight [Z,Z] stored [out, in], each bias [Z].
struct SetAttentionWeights {
  Tensor wq, wk, wv;
  Tensor bq, bk, bv;
};

// mean over valid members of softmax(Q K^T / sqrt(Z)) V, [U,Z], from `x` [U,n,Z] and `mask` [U,n]. Invalid
// members neither attend nor are attended to, whatever they hold. Poddar et al., 2024, arXiv 2408.10075,
// section 4. UserErrors: an empty set (empty), shape, nan.
Tensor set_attention_pool(const Tensor& x, const Tensor& mask, const SetAttentionWeights& weights);

}  // namespace plaudit
