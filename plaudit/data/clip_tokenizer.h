// The tokenizer of CLIP: lower-cased byte pairs whose words end in "</w>".
//
// Source: Radford et al., CLIP, 2021, arXiv 2103.00020, and its code. Ids 0-255 are the byte characters,
// printable ones first, 256-511 the same with "</w>", then one per merge, then start and end. Text is
// HTML-unescaped, but not passed through ftfy.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

using ClipMerges = std::vector<std::pair<std::string, std::string>>;

// Ids [B, context_length] i64: start, text, end, zeros; a text that is too long is cut and its last id is the
// end. context_length >= 2 (value), at least one text (empty).
Tensor clip_tokenize(const std::vector<std::string>& texts, const ClipMerges& merges,
                     int64_t context_length = 77);

}  // namespace plaudit
