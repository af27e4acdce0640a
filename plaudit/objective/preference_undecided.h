// The Bradley-Terry loss on pairs of which some could not be decided.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct MaskedBradleyTerry {
  Tensor loss;      // scalar, mean of log(1 + exp(-(r_w - r_l))) over the decided pairs
  Tensor accuracy;  // scalar, share of the decided pairs with r_w > r_l; a tie is not correct
  Tensor used;      // scalar i64, decided pairs
};

// `rewards_a`, `rewards_b` [B]; `label` [B]: 1 a preferred, 0 b preferred, -1 undecided and left out,
// whatever its rewards hold. Bukharin et al., 2023, arXiv 2309.02632, eq. 1. UserErrors: empty batch or no
// decided pair (empty), shape, nan, another label (value).
MaskedBradleyTerry masked_bradley_terry_loss(const Tensor& rewards_a, const Tensor& rewards_b,
                                             const Tensor& label);

}  // namespace plaudit
