// Data for consistency: near-alike instructions with different answers, and varied copies of an answer.
//
// Shen et al., "The Trickle-down Impact of Reward (In-)consistency on RLHF", 2023, arXiv 2309.16155.
// UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

struct ContrastOptions {
  std::optional<Tensor> same_response = std::nullopt;  // [N,N], nonzero pairs are no contrast
  double low = 0.75;                                   // similarity of a partner, at least
  double high = 0.9;                                   // and at most: above are duplicates
};

// For each instruction the most similar other one with similarity in [low, high] and another response, ties
// to the lower index, -1 for none; [N] i64. `similarity` [N,N].
Tensor select_contrast_pairs(const Tensor& similarity, const ContrastOptions& options = {});

// ConvexDA: which of M augmentations to keep, ascending: the corners of the convex hull of `embeddings` [M,D]
// in their two principal components. Points inside, on an edge or equal to an earlier one are dropped (cross
// products within 1e-12 of zero); collinear points leave their two ends, M <= 2 all.
std::vector<int64_t> convex_hull_select(const Tensor& embeddings);

}  // namespace plaudit
