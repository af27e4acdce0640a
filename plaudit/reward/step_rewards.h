// Process rewards that cannot be farmed: Clip and Delta over step scores, and training of the step scorer.
//
// Source: Gao et al., "On Designing Effective RL Reward at Training Time for LLM Reasoning", 2024, arXiv
// 2410.15115. Step scores are [B,K], a mask marks the steps that exist; what lies under the mask is ignored
// and comes back as 0. Errors: no valid step (empty), shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// min(r - eta, 0): only poor steps are punished, so extra steps gain nothing.
Tensor step_clip(const Tensor& step_rewards, const Tensor& mask, double eta);

struct StepDelta {
  Tensor rewards;  // [B,K] r_k - r_{k+1}; r_{K-1} for the last but one; 0 for the last
  Tensor returns;  // [B,K] their sum from k to the end: r_k, and 0 for the last
};
// The mask is left-aligned (value), every row has a step (empty).
StepDelta step_delta(const Tensor& step_rewards, const Tensor& mask);

// r divided by the number of steps of its row.
Tensor step_normalize(const Tensor& step_rewards, const Tensor& mask);

// Token rewards [B,T]: alpha times each step reward at its end token `step_ends` [B,K] i64, and `success` [B]
// at the last valid token of `mask` [B,T]; both may fall on one token. A step that ends outside the valid
// tokens is an error of kind value, a row without tokens of kind empty.
Tensor dense_success(const Tensor& step_rewards, const Tensor& step_mask, const Tensor& step_ends,
                     const Tensor& success, const Tensor& mask, double alpha);

// Labels of prefixes from the number of `completions` that succeeded: "hard" some did, "soft" the share.
Tensor step_labels(const Tensor& successes, int64_t completions = 8, const std::string& mode = "hard");

// Mean binary cross-entropy over the valid steps of logits [B,K] and labels [B,K] in [0,1]. Scalar.
Tensor step_bce_loss(const Tensor& logits, const Tensor& labels, const Tensor& mask);

}  // namespace plaudit
