// Preference losses on ranked lists.
#pragma once

#include "plaudit/objective/preference_margin.h"

namespace plaudit {

// DPO for K >= 2 answers per prompt, best first: with s_k = beta log(pi/pi_ref)(y_k),
//   L = -sum_{k<K} [s_k - logsumexp_{j>=k} s_j]   (Plackett-Luce; equals dpo_loss for K = 2).
// `logps`, `ref_logps` [B,K], beta > 0; fewer than two answers is an error of kind shape.
// Rafailov et al., 2023, arXiv 2305.18290, eq. 20.
PairLoss dpo_plackett_luce_loss(const Tensor& logps, const Tensor& ref_logps, double beta = 0.1);

}  // namespace plaudit
