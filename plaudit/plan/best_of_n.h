// Choosing among sampled answers by their scores. Ties go to the lowest index everywhere; scores that are not
// valid are never read. Errors: no score or none valid (empty), shape, NaN at a valid score (nan), value.
#pragma once

#include <optional>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

// The first maximum of scores [N] among the valid ones.
int64_t best_of_n_index(const Tensor& scores, const std::optional<Tensor>& valid = std::nullopt);

struct BestOfK {
  Tensor index;  // [B] i64, -1 where nothing is valid
  Tensor keep;   // [B] i64, 1 where something is
  Tensor best;   // [B] the best reward, 0 where nothing is valid
};
// The best of each row of rewards [B,K]: what RAFT trains on. Dong et al., 2023, arXiv 2304.06767,
// algorithm 1.
BestOfK best_of_k(const Tensor& rewards, const std::optional<Tensor>& valid = std::nullopt);

struct RankedCandidates {
  Tensor index;   // [B] i64 the best
  Tensor reward;  // [B]
  Tensor rank;    // [B,N] i64, 0 the best; masked ones last, in index order
};
// Ranks of rewards [B,N]; every row has a valid one.
RankedCandidates rank_candidates(const Tensor& rewards, const std::optional<Tensor>& mask = std::nullopt);

struct Reflexion {
  int64_t index;   // the best trial that was read
  int64_t trials;  // how many were read
};
// Reads scores [T] in order until one reaches `threshold` or `max_trials` are read.
Reflexion reflexion_select(const Tensor& scores, double threshold, int64_t max_trials);

}  // namespace plaudit
