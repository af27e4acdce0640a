// Small things that readers do with text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plaudit {

// `text` without white space at both ends: ASCII, the separators U+001C..U+001F, and the White_Space
// characters of Unicode, as Python's str.strip().
std::string_view strip(std::string_view text);

// The maximal runs of characters that are not white space (as strip sees it); views of `text`.
std::vector<std::string_view> words(std::string_view text);

// The start of `text` for a message: at most `bytes` bytes, whole characters, "..." where something is left
// out.
std::string excerpt(std::string_view text, size_t bytes = 60);

}  // namespace plaudit
