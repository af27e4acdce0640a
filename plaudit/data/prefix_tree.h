// Pairs of answers that share a beginning: leaves of a prefix tree.
//
// Qiu et al., "Reward Generalization in RLHF: A Topological Perspective", 2025, arXiv 2402.10184. UserErrors:
// empty, shape, nan, value.
#pragma once

#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

struct TreePairs {
  Tensor pairs;         // [N,2] i64 distinct leaves
  Tensor shared_depth;  // [N] i64, depth of their lowest common ancestor
};

// Uniform pairs of the L = branching^depth leaves from `uniform` [N,2] in [0,1]: i = min(floor(u0 L), L-1),
// j = min(floor(u1 (L-1)), L-2) plus 1 if j >= i. A leaf's digits in base `branching`, most significant
// first, are its path. branching >= 2, depth >= 1.
TreePairs tree_pairs(const Tensor& uniform, int64_t branching, int64_t depth);

struct SharedPrefix {
  Tensor shared;             // [N] i64, common first tokens
  Tensor unshared;           // [N,2] i64, what is left of either
  double unshared_fraction;  // all unshared tokens over all tokens of the pairs; 0 where there are none
};

// Of `pairs` [N,2] of the token lists.
SharedPrefix shared_prefix(const std::vector<std::vector<int64_t>>& tokens, const Tensor& pairs);

// Prior covariance of rewards with one independent normal effect per prefix: the sum of level_variance [D]
// over the levels down to which two paths [N,D] agree, [N,N]; variances >= 0.
Tensor prefix_covariance(const Tensor& paths, const Tensor& level_variance);

}  // namespace plaudit
