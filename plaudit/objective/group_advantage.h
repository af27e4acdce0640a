// Critic-free advantages: each answer against the others to its prompt.
//
// `rewards` [B]; `group` [B] integers, see groups.h. A group of one gets 0. UserErrors: empty, shape, nan.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct GroupRelativeOptions {
  bool normalize_std = true;  // divide by the deviation of the group
  double eps = 1e-4;          // added to the deviation, >= 0
  bool unbiased = true;       // n-1 in the variance
};

// (R_i - mean_g)/(std_g + eps): GRPO. Shao et al., 2024, arXiv 2402.03300, section 4.1. Without normalize_std
// the mean-only form of Dr. GRPO (Liu et al., 2025, arXiv 2503.20783).
Tensor group_relative(const Tensor& rewards, const Tensor& group, const GroupRelativeOptions& options = {});

// R_i minus the mean of the others: RLOO. Ahmadian et al., 2024, arXiv 2402.14740.
Tensor leave_one_out(const Tensor& rewards, const Tensor& group);

}  // namespace plaudit
