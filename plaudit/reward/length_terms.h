// What a reward adds or takes for the length of an answer and for how it ends.
//
// UserErrors: no answer (empty), unequal sizes (shape), NaN (nan), a length or option out of range (value).
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

struct SalmonTerminalOptions {
  int64_t max_length;                                      // tokens, >= 1
  std::optional<Tensor> length_multiplier = std::nullopt;  // [B], 0 for tasks with short answers; default 1
  double length_coef = 5;
  double length_cap = 0.8;
  double stop_penalty = -6;  // added where the answer has no stop token
};

// score + length_coef min(multiplier length/max_length, length_cap), plus the penalty without a stop token.
// `scores`, `lengths` (in [0, max_length] tokens) and `has_stop` [B]. Sun et al., 2023, arXiv 2310.05910,
// section 3.4.
Tensor salmon_terminal(const Tensor& scores, const Tensor& lengths, const Tensor& has_stop,
                       const SalmonTerminalOptions& options);

// rewards - coef log(lengths), `lengths` [B] >= 1 in characters. Mukobi et al., "SuperHF", 2023, arXiv
// 2310.16763.
Tensor length_penalty(const Tensor& rewards, const Tensor& lengths, double coef);

}  // namespace plaudit
