// Checking the final answer to a mathematics problem written in LaTeX.
//
// Candidates are extracted as in Lambert et al., "Tulu 3", 2024, arXiv 2411.15124 (open-instruct). Equality
// is our own rule, since there is no computer-algebra system: equal strings after normalisation, or equal
// rationals. It never runs long, whatever the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plaudit {

// What the last \boxed{..} holds (\fbox{..} when there is no \boxed), braces balanced; nullopt when there is
// none or its braces never close.
std::optional<std::string> last_boxed(std::string_view text);

// An answer in the form in which equal answers have equal strings: outer dollars, spacing commands, degree
// and percent signs, a trailing unit in \text, \mbox or \mathrm, blanks, trailing periods, a leading "x=" and
// thousands commas are dropped; dfrac and tfrac become frac, \frac12 becomes \frac{1}{2}, \sqrt2 becomes
// \sqrt{2}. \mathrm{i} and \mathrm{e} are numbers and stay; so does a text command that is the whole answer.
std::string normalize_math(std::string_view answer);

// Equal strings after normalisation, or equal rationals: [-]\frac{int}{int}, int/int or a decimal, of any
// length. A zero denominator is not a number.
bool math_equal(std::string_view a, std::string_view b);

// 1 when a candidate of `prediction` equals `label`, else 0. Candidates: the last box and the phrase "Final
// Answer: The final answer is X. I hope it is correct."; if none, what stands between the last two dollars;
// if none, the whole text.
double check_math(std::string_view prediction, std::string_view label);

}  // namespace plaudit
