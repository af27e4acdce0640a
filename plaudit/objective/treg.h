// DPO and SimPO with token rewards that the model makes itself, as a regulariser.
//
// Zhou et al., "T-REG: Preference Optimization with Token-Level Reward Regularization", 2024, arXiv
// 2412.02685; the SimPO form is derived, not verified. Token log-probabilities [B,T] under masks valid where
// nonzero. Token rewards and sequence weights are constants for the gradient. UserErrors: empty, shape, nan,
// value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// sigma(log p(y_t | x_better) - log p(y_t | x_worse)) - 1/2, in [-1/2, 1/2], 0 under the mask; [B,T]. eq. 5.
Tensor contrast_token_rewards(const Tensor& better_logps, const Tensor& worse_logps, const Tensor& mask);

// -beta sum_t reward_t log pi(y_t), [B]; beta > 0.
Tensor token_reward_regularizer(const Tensor& logps, const Tensor& token_rewards, const Tensor& mask,
                                double beta = 0.1);

// One side of the pairs, [B,T] each.
struct TokenAnswers {
  Tensor logps;
  Tensor ref_logps;  // with base "simpo" only its shape is looked at
  Tensor mask;
  Tensor token_rewards;
};

struct TregOptions {
  double beta = 0.1;                   // > 0
  double alpha = 0.25;                 // weight of the regulariser, >= 0
  std::string base = "dpo";            // "dpo", or "simpo": rewards beta/|y| log pi, no reference
  double gamma_beta_ratio = 0.5;       // target margin over beta, of simpo
  std::string weighting = "sequence";  // w = sigma(-margin), or "static": 1/2
};

struct TregResult {
  Tensor loss;          // scalar
  Tensor losses;        // [B], base + alpha w (reg_chosen + reg_rejected)
  Tensor base_losses;   // [B]
  Tensor weights;       // [B], w
  Tensor reg_chosen;    // [B]
  Tensor reg_rejected;  // [B]
};

// Chosen and rejected answers may differ in length T; a row without a valid token is an error of kind empty.
// eq. 8.
TregResult treg_loss(const TokenAnswers& chosen, const TokenAnswers& rejected,
                     const TregOptions& options = {});

}  // namespace plaudit
