#include "plaudit/feedback/guess.h"

#include <algorithm>

#include "plaudit/core/registry.h"
#include "plaudit/data/unicode.h"
#include "plaudit/feedback/letters.h"

namespace plaudit {

bool last_word_guess(std::string_view question, const std::vector<std::string>& names) {
  const auto text = repair_utf8(question);
  size_t end = 0;  // behind the last letter
  for (size_t pos = 0; pos < text.size();) {
    if (is_letter(next_code_point(text, pos))) end = pos;
  }
  if (end == 0) return false;
  const auto before = std::string_view(text).substr(0, end);
  const auto word = lower_case(before.substr(before.rfind(' ') + 1));
  return std::any_of(names.begin(), names.end(), [&](const auto& name) { return lower_case(name) == word; });
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("last_word_guess(str question, str[] names) -> (bool correct)",
        [](const std::string& question, const std::vector<std::string>& names) {
          return last_word_guess(question, names);
        },
        "Whether the last word of a question is one of the names.", {"21"});
}

}  // namespace plaudit
