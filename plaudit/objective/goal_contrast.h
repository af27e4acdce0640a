// A contrastive loss that makes the hidden states of good answers point at their own future.
//
// Nath et al., "Learning Goal-Conditioned Representations for Language Reward Models", 2024, arXiv
// 2407.13887; sampling and reductions of the official code. UserErrors: empty, shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct GoalSampling {
  double source_percentile = 0;  // in [0,1]: 0 samples the whole response, 1/2 its last half
  double goal_percentile = 0;
};

struct GoalIndices {
  Tensor source;  // [B,S] i64, columns in [0, length)
  Tensor goal;    // [B,S] i64, not earlier than its own source when the percentiles are equal
};

// Columns of left-padded sequences of `length` >= 1 whose last `num_actions` [B] >= 0 tokens are the
// response: with u = `uniform` [B,2,S] in [0,1] sorted along its middle axis and x = (p-1) u + 1, column
// length - k for k = floor(x num_actions + 1) clamped to [0, length-1]; k = 0 gives column 0.
GoalIndices goal_sample_indices(const Tensor& uniform, const Tensor& num_actions, int64_t length,
                                const GoalSampling& options = {});

// Sampled columns, [B,S] i64 each.
struct GoalColumns {
  Tensor source;           // of the chosen response
  Tensor goal;             // of the chosen response
  Tensor negative_source;  // of the chosen response
  Tensor negative;         // of the rejected response
};

struct GoalLossOptions {
  double beta = 0.5;                      // >= 0
  std::string reduction = "log_of_mean";  // the sigmoids are averaged before the logarithm; or "mean_of_log"
  std::string goal_mode = "token";        // or "average": the S goals (and negatives) become one vector
  std::string pairing = "all";            // every source with every goal of its row, or "matched"
};

struct GoalLoss {
  Tensor loss;                 // scalar, beta [-log sigma(Q+) - log(1 - sigma(Q-))], Q the cosine
  Tensor positive_similarity;  // scalar, mean Q+
  Tensor negative_similarity;  // scalar, mean Q-
};

// `chosen_hidden` [B,T,D], `rejected_hidden` [B,T',D]: final hidden states before the reward head.
GoalLoss goal_conditioned_loss(const Tensor& chosen_hidden, const Tensor& rejected_hidden,
                               const GoalColumns& columns, const GoalLossOptions& options = {});

}  // namespace plaudit
