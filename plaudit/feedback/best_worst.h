// Picking the best and the worst of K candidates by pairwise questions.
//
// Yu et al., "ICPL: Few-shot In-context Preference Learning via LLMs", 2024, arXiv 2410.17233. UserErrors:
// empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

struct BestWorst {
  int64_t best;
  int64_t worst;
  int64_t queries;       // questions asked: (K-1) + (K-2), plus one about the incumbent
  bool keeps_incumbent;  // the best did not beat the incumbent; false without one
};

// A champion scan from candidate 0, then a scan for the worst among the others; a tie keeps the holder.
// `prefers` [K,K] nonzero where i is preferred to j, zero on the diagonal, K >= 2; `beats_incumbent` [K]
// nonzero where a candidate beats the best of earlier rounds.
BestWorst select_best_worst(const Tensor& prefers,
                            const std::optional<Tensor>& beats_incumbent = std::nullopt);

// Answers of a noiseless annotator who sees `scores` [K]: 1 where score_i > score_j; [K,K] i64.
Tensor proxy_prefers(const Tensor& scores);

}  // namespace plaudit
