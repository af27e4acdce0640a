// Did the last word of a question name the hidden object (Twenty Questions, Guess My City)?
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plaudit {

// Strips trailing characters that are not letters, takes the part behind the last space, and compares it with
// the names, letter case ignored. Nothing left is false. Zhou et al., "ArCHer", 2024, arXiv 2402.19446.
bool last_word_guess(std::string_view question, const std::vector<std::string>& names);

}  // namespace plaudit
