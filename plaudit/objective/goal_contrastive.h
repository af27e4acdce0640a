// A reward model whose hidden states point at the goal: contrast of states within and across answers.
//
// Source: Nath et al., "Learning Goal-Conditioned Representations for Language Reward Models", 2024, arXiv
// 2407.13887, section 3, and its code. Hidden states are [B,T,D]. Errors: empty, shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct GoalColumns {
  Tensor source;  // [B,S] i64 columns of a left-padded batch
  Tensor goal;    // [B,S], not earlier than its source
};
// Columns from `uniform` [B,2,S] in [0,1] (sorted along the middle axis here): with x = (p-1) u + 1 the state
// stands k = floor(x num_actions + 1) steps from the end, limited to [0, length-1]. Percentile 0 is the whole
// answer.
GoalColumns goal_sample_indices(const Tensor& uniform, const Tensor& num_actions, int64_t length,
                                double source_percentile = 0, double goal_percentile = 0);

struct GoalContrast {
  Tensor chosen_hidden;    // [B,T,D]
  Tensor rejected_hidden;  // [B,T',D]
  Tensor source;           // [B,S] columns of chosen_hidden
  Tensor goal;             // [B,S] of chosen_hidden
  Tensor negative_source;  // [B,S] of chosen_hidden
  Tensor negative;         // [B,S] of rejected_hidden
};
struct GoalContrastOptions {
  double beta = 0.5;                      // weight
  std::string reduction = "log_of_mean";  // the code; "mean_of_log" is the paper's form
  std::string goal_mode = "token";        // "average" makes one vector of a row's goals, and of its negatives
  std::string pairing = "all";            // every source with every goal of its row, or "matched"
};
struct GoalContrastResult {
  Tensor loss;                 // scalar, beta (-log sigma(Q+) - log(1 - sigma(Q-))), Q the cosine
  Tensor positive_similarity;  // scalar mean
  Tensor negative_similarity;
};
GoalContrastResult goal_conditioned_loss(const GoalContrast& states, const GoalContrastOptions& options = {});

// The mean over N answers of the hidden state at the last valid token, [D].
Tensor goal_state(const Tensor& hidden, const Tensor& mask);

}  // namespace plaudit
