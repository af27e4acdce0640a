// Preference losses on ranked lists.
#pragma once

#include "plaudit/objective/preference_margin.h"

namespace plaudit {

// DPO for K >= 2 answers per prompt, best first: with s_k = beta log(pi/pi_ref)(y_k),
//   L = -sum_{k<K} [s_k - logsumexp_{j>=k} s_j]   (Plackett-Luce; equals dpo_loss for K = 2).
// `logps`, `ref_logps` [B,K], beta > 0; fewer than two answers is an error of kind shape.
// Rafailov et al., 2023, arXiv 2305.18290, eq. 20.
PairLoss dpo_plackett_luce_loss(const Tensor& logps, const Tensor& ref_logps, double beta = 0.1);

// Bradley-Terry over all pairs of ranked lists, with the rewards held near zero: the mean over pairs i < j of
// -log sigma(s_i - s_j) + l2/2 (s_i^2 + s_j^2), then over lists. `scores` [N], best first inside each list;
// list g is [offsets_g, offsets_{g+1}), `offsets` [G+1] i64 from 0 to N. UserErrors: a list of fewer than two
// (empty), shape, nan, offsets that do not split N or l2 < 0 (value). The loss of Open-Assistant's reward
// models, used by Coste et al., 2023, arXiv 2310.02743.
Tensor ranked_pairs_loss(const Tensor& scores, const Tensor& offsets, double l2 = 1e-3);

}  // namespace plaudit
