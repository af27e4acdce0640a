// Token rewards of language-model RL: a KL penalty on every token, the score on the last.
//
// `logps`, `ref_logps`, `mask` [B,T]; what lies under the mask is never read and gives 0. UserErrors: a row
// without a valid token (empty), shape, nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct KlShapedOptions {
  double kl_coef = 0.1;                    // >= 0
  std::string estimator = "k1";            // see kl_estimator.h
  std::optional<double> clip_score = 10.;  // scores are clamped to [-c, c]; none leaves them
};

struct KlShaped {
  Tensor rewards;    // [B,T], -kl_coef kl, plus the score at the last valid token
  Tensor kl;         // [B,T]
  Tensor non_score;  // [B], the row sum of -kl_coef kl
};

// `scores` [B]: of a reward model or a judge. Ouyang et al., 2022, arXiv 2203.02155, eq. 2.
KlShaped kl_shaped(const Tensor& scores, const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
                   const KlShapedOptions& options = {});

struct RlvrOptions {
  double reward = 10;  // of a correct answer
  std::optional<double> eos_penalty =
      -10.;            // the score of an answer without end, whatever it holds; none to keep it
  double beta = 0.05;  // weight of the KL, >= 0
  std::string kl_estimator = "k1";
};

struct RlvrRewards {
  Tensor rewards;  // [B,T]
  Tensor scores;   // [B]
};

// Rewards that a program verified: `correct` [B] in [0,1], `has_eos` [B] says whether the answer ended.
// Lambert et al., "Tulu 3", 2024, arXiv 2411.15124, section 6.
RlvrRewards rlvr_token_rewards(const Tensor& correct, const Tensor& has_eos, const Tensor& logps,
                               const Tensor& ref_logps, const Tensor& mask, const RlvrOptions& options = {});

}  // namespace plaudit
