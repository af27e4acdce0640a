// Code in the reply of a language model, and its names.
//
// Source: Xie et al., "Text2Reward", 2023, arXiv 2309.11489; symbols are mapped in one pass, so that a short
// name never corrupts a longer one and replaced text is never replaced again.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace plaudit {

struct CodeReply {
  std::string code;
  std::string source;  // "fenced_python", "fenced_plain" or "bare"
};

// The first ```python or ```py block (letter case ignored) that is not blank; else the first untagged block
// that is not blank; else everything from the first line that starts with "import ", "from " or "def ".
// Nothing of these is an error of kind empty.
CodeReply extract_code(std::string_view text);

// Replaces names from left to right: at each position the longest key that is not preceded by [A-Za-z0-9_.]
// nor followed by [A-Za-z0-9_]. An empty key is an error of kind value.
std::string map_symbols(std::string_view code, const std::map<std::string, std::string>& mapping);

}  // namespace plaudit
