// Advantages normalised by the recent rewards of the same prompt.
//
// Source: Black et al., DDPO, 2023, arXiv 2305.13301, section 4 (per-prompt statistics).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

using RewardHistory = std::map<int64_t, std::vector<double>>;  // prompt id to its last rewards, oldest first

struct PromptNormalizeOptions {
  int64_t buffer_size = 16;  // rewards remembered per prompt, >= 1
  int64_t min_count = 16;    // below it the statistics of the batch serve
  double eps = 1e-6;         // added to the standard deviation, > 0
};

// (r - mean)/(std + eps) for rewards [B] of prompts prompt_ids [B]; `history` takes the batch in before the
// statistics are read; population standard deviations. Errors: empty, shape, nan, value.
Tensor per_prompt_normalize(const Tensor& rewards, const Tensor& prompt_ids, RewardHistory& history,
                            const PromptNormalizeOptions& options = {});

}  // namespace plaudit
