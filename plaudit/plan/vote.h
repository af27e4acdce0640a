// Choosing among finished answers: majority votes, the best score, stopping early.
//
// UserErrors everywhere: empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

struct GoalFilter {
  Tensor keep;            // [N] bool, never fell below the threshold
  Tensor stop;            // [N] i64, the token at which a solution was dropped, else its length
  Tensor tokens_saved;    // scalar i64, valid tokens from the stops on; 0 when no solution is kept
  Tensor saved_fraction;  // scalar, of all valid tokens
};

// Drops a solution at its first token, from `skip` >= 0 on, whose similarity to the goal lies below
// `threshold`. `similarity`, `mask` [N,T]; the valid tokens of a row come first. Nath et al., 2024, arXiv
// 2407.13887, section 4.2.
GoalFilter goal_filter(const Tensor& similarity, const Tensor& mask, double threshold = 0, int64_t skip = 5);

struct MajorityVote {
  int64_t answer;  // the largest summed weight, ties to the answer seen first
  double votes;    // that weight
  bool fallback;   // nothing was kept, so that all voted
};

// `answers` [N] i64 among those with `keep` [N] nonzero; `weight` [N] >= 0, default 1.
MajorityVote filtered_majority_vote(const Tensor& answers, const Tensor& keep,
                                    const std::optional<Tensor>& weight = std::nullopt);

// The first maximum of `scores` [N] among those with `valid` [N] nonzero; none is an error of kind empty.
// Scores that are not valid are never read.
int64_t best_of_scores(const Tensor& scores, const std::optional<Tensor>& valid = std::nullopt);

struct ReflexionChoice {
  int64_t index;   // the best trial seen, ties to the first
  int64_t trials;  // how many were run
};

// Trials in order, `scores` [T], until one reaches the threshold or max_trials >= 1 were run. Chen et al.,
// "ARMAP", 2025, arXiv 2502.12130.
ReflexionChoice reflexion_select(const Tensor& scores, double threshold, int64_t max_trials);

}  // namespace plaudit
