// The Bradley-Terry loss: the likelihood of preferences under a scalar reward.
//
// With d = r(chosen) - r(rejected), P(chosen preferred) = sigma(d), and per pair
//   l = -(1-a) log sigma(d - m) - a log sigma(m - d) + k (r_c + r_r)^2 ,   L = sum_i w_i l_i / sum_i w_i .
// Source: Wang et al., "Secrets of RLHF in LLMs Part II", 2024, arXiv 2401.06080, eq. 2, 5 (smoothing a), 6
// (margin m, inside the sigmoid); k fixes the free additive constant of the rewards.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

struct BradleyTerryOptions {
  std::optional<Tensor> margin = std::nullopt;           // m [B] or a scalar, default 0
  std::optional<Tensor> label_smoothing = std::nullopt;  // a in [0,1], scalar or [B], default 0
  std::optional<Tensor> weight = std::nullopt;           // w [B] >= 0, not all zero; default 1
  double center_coef = 0;                                // k >= 0
};

struct BradleyTerryResult {
  Tensor loss;         // scalar
  Tensor losses;       // [B], before weighting
  Tensor accuracy;     // scalar, unweighted share of d > 0; a tie is not correct
  Tensor mean_margin;  // scalar, mean d
};

// Rewards [B]. UserErrors: empty batch (empty), unequal shapes (shape), NaN or infinity (nan), an option out
// of range (value).
BradleyTerryResult bradley_terry_loss(const Tensor& chosen_rewards, const Tensor& rejected_rewards,
                                      const BradleyTerryOptions& options = {});

}  // namespace plaudit
