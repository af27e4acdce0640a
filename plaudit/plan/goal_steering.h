// Decoding with a goal state: prefix values, filtered majority votes, beam scores.
//
// Source: Nath et al., "Learning Goal-Conditioned Representations for Language Reward Models", 2024, arXiv
// 2407.13887, section 4. Errors: empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

// Cosine of each state of hidden [B,T,D] with goal [D] (lengths at least 1e-8), 0 where mask [B,T] is 0:
// [B,T].
Tensor goal_similarity(const Tensor& hidden, const Tensor& goal, const Tensor& mask);

struct GoalFilter {
  Tensor keep;            // [N] bool, never below the threshold
  Tensor stop;            // [N] i64 where it was dropped, its length if it was not
  int64_t tokens_saved;   // valid tokens from the stops on; 0 when no row is kept
  double saved_fraction;  // of all tokens
};
// Drops a sample at the first position >= skip whose similarity [N,T] lies strictly below `threshold`; the
// mask is a run of valid tokens from the left.
GoalFilter goal_filter(const Tensor& similarity, const Tensor& mask, double threshold = 0, int64_t skip = 5);

struct Vote {
  int64_t answer;
  double votes;   // summed weight
  bool fallback;  // no sample was kept, all voted
};
// The answer of answers [N] with the largest summed weight among the kept, ties to the one that appears first
// there; weight [N] >= 0, default 1.
Vote filtered_majority_vote(const Tensor& answers, const Tensor& keep,
                            const std::optional<Tensor>& weight = std::nullopt);

struct GoalBeamScore {
  Tensor score;       // [B] score + similarity
  Tensor similarity;  // [B] cosine of the mean state with the goal
};
GoalBeamScore goal_beam_score(const Tensor& score, const Tensor& hidden, const Tensor& mask,
                              const Tensor& goal);

}  // namespace plaudit
