// Letters and case, for verifiers that compare text.
//
// Any bytes are accepted: invalid UTF-8 is repaired first (data/unicode.h).
#pragma once

#include <string>
#include <string_view>

namespace plaudit {

// Letters of any script; no marks, digits or connectors.
bool is_letter(char32_t c);

// The whole text in lower case.
std::string lower_case(std::string_view text);

// True when no letter would change in upper case, as Python's text == text.upper().
bool is_upper_case(std::string_view text);

// True when no letter would change in lower case.
bool is_lower_case(std::string_view text);

}  // namespace plaudit
