// Supervised losses on sampled answers.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct SftResult {
  Tensor loss;    // scalar
  Tensor losses;  // [B] sums of -log pi over the row (means for sequence_mean), unweighted
};
// Cross-entropy of answers from logps [B,T]. `weights` [B], default 1. reduction "token_mean": sum of w
// losses over the number of valid tokens of the batch; "sequence_mean", "sequence_sum": mean over rows of w
// losses. Dong et al., RAFT, 2023, arXiv 2304.06767. Errors: no valid token, or a row without one under
// sequence_mean (empty), shape, nan, value.
SftResult sft_loss(const Tensor& logps, const Tensor& mask,
                   const std::optional<Tensor>& weights = std::nullopt,
                   const std::string& reduction = "token_mean");

}  // namespace plaudit
