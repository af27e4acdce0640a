// [B,T] token tensors under a mask: how token losses become one number (core/masked_checks.h has their
// checks).
//
// A mask element is valid when it is nonzero. Values under an invalid element are never read, NaN included.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/masked_checks.h"

namespace plaudit {

// True at the last valid element of each row, [B,T] bool; nowhere in a row without any.
Tensor is_last_valid(const Tensor& mask);

// How token losses become one number:
//   token_mean     the mean over all valid tokens of the batch
//   sequence_mean  the mean of each row, then over rows; rows without valid tokens are left out
//   constant       the sum over valid tokens / (B * max_length)
struct TokenReduction {
  std::string kind = "token_mean";
  std::optional<int64_t> max_length = std::nullopt;  // of "constant", >= 1
};

// Kind value: unknown reduction or "constant" without a max_length.
void check_reduction(const Check& check, const TokenReduction& reduction);

// Reduces `losses` [B,T] over the valid tokens.
Tensor reduce_tokens(const Tensor& losses, const Tensor& mask, const TokenReduction& reduction);

}  // namespace plaudit
