// [B,T] token tensors under a mask: their checks, and how token losses become one number.
//
// A mask element is valid when it is nonzero. Values under an invalid element are never read, NaN included.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// Checks tensors [B,T] of one shape and their mask: an element (empty), shapes alike (shape), finite where
// valid (nan). `rows` says what a mask must hold besides:
enum class ValidRows {
  some,         // one valid element anywhere, else kind empty
  every,        // one in every row, else kind empty
  left_aligned  // as `some`, and valid elements of a row come before all others, else kind value
};
void check_tokens(const Check& check, std::initializer_list<NamedTensor> tensors, const Tensor& mask,
                  ValidRows rows, std::string_view mask_name = "mask");

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
