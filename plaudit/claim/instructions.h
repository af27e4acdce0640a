// Three instructions on sentilang whose fulfilment a program checks; the group of a line names its own.
//
//   0  at least three positive words, no negative one
//   1  no positive or negative word, at least three words
//   2  one to five words, at least one of them positive
// All need EOS within the twelve words; EOS is no word.
#pragma once

#include "plaudit/env/sentilang.h"

namespace plaudit {

inline constexpr int64_t instruction_count = 3;

// Whether each line meets its instruction, [N] bool.
at::Tensor instructions_met(const SentilangLines& lines);

}  // namespace plaudit
