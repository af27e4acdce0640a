// Preferences that may be tied or undecided. Errors: empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

struct RankingLoss {
  Tensor loss;                     // scalar mean
  std::optional<Tensor> accuracy;  // over the pairs that are no tie; none when all are
};
// Cross-entropy of the softmax of rewards [B,2] with `label` [B]: 0 first, 1 second, 2 tie (half each). Equal
// rewards count as the first. Zheng et al., ONI, 2024, arXiv 2410.23022.
RankingLoss ranking_loss(const Tensor& rewards, const Tensor& label);

// Labels [P] (1 first, 0 second, -1 undecided) that survive asking again in the other order: x where
// labels_ba = 1 - x, else -1.
Tensor order_consistent_label(const Tensor& labels_ab, const Tensor& labels_ba);

}  // namespace plaudit
