// Checks on tensors [B,T] under a mask. An element is valid when its mask is nonzero; values under an invalid
// element are never read, NaN included.
#pragma once

#include <initializer_list>

#include "plaudit/core/checks.h"

namespace plaudit {

// What a mask must hold:
enum class ValidRows {
  some,               // one valid element anywhere, else kind empty
  every,              // one in every row, else kind empty
  left_aligned,       // as `some`, and valid elements of a row come before all others, else kind value
  every_left_aligned  // as `every` and `left_aligned`
};

// Checks tensors [B,T] of one shape and their mask: an element (empty), shapes alike (shape), rows, finite
// where valid (nan).
void check_tokens(const Check& check, std::initializer_list<NamedTensor> tensors, const Tensor& mask,
                  ValidRows rows, std::string_view mask_name = "mask");

// The part of check_tokens that looks at the mask alone.
void check_rows(const Check& check, const Tensor& mask, ValidRows rows, std::string_view mask_name = "mask");

}  // namespace plaudit
