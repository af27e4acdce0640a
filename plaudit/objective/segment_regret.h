// How good a segment was, as regret sees it, and the labels that such scores give.
//
// Hejna et al., "Contrastive Preference Learning", 2023, arXiv 2310.13639, section 2 and appendix. Tensors
// [B,T] under a mask; values under it are never read. UserErrors: empty, shape, nan, value (gamma outside
// (0,1], a mask with holes).
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// 1 where a scores higher, 0 where b does, 1/2 at a tie; `scores_a`, `scores_b` [B].
Tensor labels_from_scores(const Tensor& scores_a, const Tensor& scores_b);

// sum_t gamma^t (Q_t - V_t) over the valid steps, [B].
Tensor regret_scores_direct(const Tensor& q, const Tensor& v, const Tensor& mask, double gamma = 1);

// sum_{t<L-1} gamma^t r_t + gamma^(L-1) V_{L-1} - V_0 for a row of L >= 1 valid steps from the left, [B].
Tensor regret_scores_bootstrap(const Tensor& rewards, const Tensor& values, const Tensor& mask,
                               double gamma = 1);

// sum_t gamma^t x_t over the valid steps of each row, [B].
Tensor discounted_sum(const Tensor& x, const Tensor& mask, double gamma);

}  // namespace plaudit
