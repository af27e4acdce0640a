// A token-level reward model learned from right and wrong whole answers, and its credit per token.
//
// Source: Lyu et al., OREAL, 2025, arXiv 2502.06781, section 3.3, and its code. Scores are [B,T]; what lies
// under the mask is ignored and comes back as 0. Errors: no valid token (empty), shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct TokenCredit {
  Tensor positive;            // [B,T] weights of tokens of right answers
  Tensor negative;            // [B,T] of wrong ones
  Tensor prefix_probability;  // [B,T] q_t = sigma(mean of the scores up to t)
};
// mode "threshold": clip((q - a)/(1 - a), 0, 1) and clip((1 - q - b)/(1 - b), 0, 1) with a = `correct`, b =
// `incorrect` in [0,1). mode "top_k": the int(T ratio) largest q (1 - q) of each row, ties to the lower
// index, rescaled to [0,1] (ones where all are equal), the rest 0; ratios in (0,1].
TokenCredit token_score_weights(const Tensor& scores, const Tensor& mask,
                                const std::string& mode = "threshold", double correct = 0.5,
                                double incorrect = 0.5);

struct TokenRewardLoss {
  Tensor loss;         // scalar, binary cross-entropy of the mean score, mean over the batch
  Tensor mean_scores;  // [B]
};
// `correct` [B] in [0,1]; every row has a token.
TokenRewardLoss token_reward_loss(const Tensor& scores, const Tensor& mask, const Tensor& correct);

}  // namespace plaudit
