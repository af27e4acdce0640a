// Preference losses for reward models that say a distribution instead of a number.
//
// Siththaranjan, Laidlaw, Hadfield-Menell, "Distributional Preference Learning", 2024, arXiv 2312.08358, as
// baselines of Poddar et al., 2024, arXiv 2408.10075. UserErrors: empty, shape, nan, value.
#pragma once

#include "plaudit/objective/preference_margin.h"

namespace plaudit {

// Rewards N(mean, std^2): `chosen`, `rejected` [B,2] hold the mean and, before softplus, the deviation.
//   losses = softplus(-sqrt(2 pi) (mean_c - mean_r)/sqrt(std_c^2 + std_r^2))
// and `loss` adds variance_penalty >= 0 times the mean of std_c^2 + std_r^2.
PairLoss mean_variance_loss(const Tensor& chosen, const Tensor& rejected, double variance_penalty = 0);

// Rewards on K ordered atoms, logits `chosen`, `rejected` [B,K]: losses = -log P(chosen atom > rejected atom,
// ties half), and `loss` adds entropy_coef times sum p log p of the distribution averaged over all 2B
// answers.
PairLoss categorical_loss(const Tensor& chosen, const Tensor& rejected, double entropy_coef = 0);

// A bounded reward: the mean over M comparison states of the probability to beat them, sigma(logits) [B,M];
// [B]. Poddar et al., section 5.
Tensor expected_preference(const Tensor& logits);

}  // namespace plaudit
