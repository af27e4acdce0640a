// The single steps that pre-tokenizers are made of. Each appends the pieces of one piece; none is empty.
#pragma once

#include <string>

#include "plaudit/data/pre_tokenizer.h"
#include "plaudit/data/regex.h"

namespace plaudit {

// What becomes of the parts of a text that match (and, in between, do not).
enum class SplitBehavior {
  removed,               // matches vanish
  isolated,              // each match is a piece
  merged_with_previous,  // a match ends the piece before it
  merged_with_next,      // a match begins the piece after it
  contiguous,            // neighbouring matches form one piece
};

// "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext" or "Contiguous"; UserError otherwise.
SplitBehavior split_behavior(const JsonView& view);

// `invert` swaps what matches and what does not.
PreTokenizer::Step split_step(Regex pattern, SplitBehavior behavior, bool invert);
PreTokenizer::Step split_step(std::string plain, SplitBehavior behavior, bool invert);

// Number characters: each alone, or runs of them.
PreTokenizer::Step digits_step(bool individual);
// Unicode punctuation and ASCII symbols.
PreTokenizer::Step punctuation_step(SplitBehavior behavior);
// White space separates and vanishes.
PreTokenizer::Step white_space_step();
// Puts a space in front of a piece that does not start with one.
PreTokenizer::Step prefix_space_step();
// Spaces become U+2581, one may be put in front (prepend_scheme always, first, never), and each begins a
// piece unless "split" is false.
PreTokenizer::Step metaspace_step(const JsonView& view);

}  // namespace plaudit
