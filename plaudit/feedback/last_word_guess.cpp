#include "plaudit/feedback/last_word_guess.h"

#include <algorithm>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

bool is_letter(char32_t c) {
  return is_word_character(c) && !is_mark(c) && !is_number(c) && !is_punctuation(c);
}

std::string lower(std::string_view text) {
  std::string out;
  for (size_t pos = 0; pos < text.size();) append_lower(out, next_code_point(text, pos));
  return out;
}

}  // namespace

bool last_word_guess(const std::string& question, const std::vector<std::string>& names) {
  const Check check("verify.last_word_guess");
  if (names.empty()) check.refuse(ErrorKind::empty, "names", "is empty");
  const auto text = repair_utf8(question);
  size_t start = 0, end = 0;  // of the last word
  for (size_t pos = 0, after_space = 0; pos < text.size();) {
    const char32_t c = next_code_point(text, pos);
    if (c == U' ') after_space = pos;
    if (is_letter(c)) {
      start = after_space;
      end = pos;
    }
  }
  if (end == 0) return false;
  const auto word = lower(std::string_view(text).substr(start, end - start));
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return lower(repair_utf8(name)) == word; });
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("last_word_guess(str question, str[] names) -> (bool correct)",
        [](const std::string& question, const std::vector<std::string>& names) {
          return last_word_guess(question, names);
        },
        "Whether a question ends in the name of the object.", {"21"});
}

}  // namespace plaudit
