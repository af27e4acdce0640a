// A reward steadied by the rewards of nearby training texts.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct FusionOptions {
  int64_t top_k = 5;       // neighbours in use, at most, >= 0
  double threshold = 0.9;  // similarity of a neighbour, at least
};

// (r + sum_i s_i r_i)/(1 + sum_i s_i) over the top_k most similar neighbours (ties to the lower index) at or
// above the threshold; the reward itself where there is none. A negative similarity weighs nothing. `rewards`
// [B], `neighbour_rewards` and `similarities` [B,J]. Shen et al., 2023, arXiv 2309.16155, section 5.
// UserErrors: empty, shape, nan, value.
Tensor reward_fusion(const Tensor& rewards, const Tensor& neighbour_rewards, const Tensor& similarities,
                     const FusionOptions& options = {});

}  // namespace plaudit
