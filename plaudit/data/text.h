// White space as Unicode has it.
#pragma once

#include <string_view>

namespace plaudit {

// `text` without white space at both ends: ASCII, the separators U+001C..U+001F, and the White_Space
// characters of Unicode, as Python's str.strip().
std::string_view strip(std::string_view text);

}  // namespace plaudit
