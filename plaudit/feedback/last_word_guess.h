// The guess in a question of the guessing games.
#pragma once

#include <string>
#include <vector>

namespace plaudit {

// True when the last word of the question is one of the names, letter case aside: characters after the last
// letter are dropped and the word starts after the last space. "Is it a dog?" guesses "dog". Zhou et al.,
// "ArCHer", 2024, arXiv 2402.19446.
bool last_word_guess(const std::string& question, const std::vector<std::string>& names);

}  // namespace plaudit
