// The small regular-expression language of tokenizer files, run by PCRE2 (UTF, Unicode properties, JIT).
//
// Understood: alternation, groups (plain, (?:), (?i:), look-ahead and look-behind), character classes, the
// quantifiers ? * + {m,n} with their lazy and possessive forms, ^ $ . | and the escapes \p{..} \P{..} \s \S
// \d \D \w \W \r \n \t \f \v \0 \xHH \x{..} \uHHHH and escaped punctuation. \s, \d and \w are the Unicode
// sets that the `tokenizers` library uses. Anything else is a UserError that names it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace plaudit {

class Regex {
 public:
  // `where` starts the error messages (kind value).
  Regex(std::string_view pattern, std::string_view where);

  struct Match {
    size_t begin = 0;
    size_t end = 0;
  };

  // The leftmost match at or after `from`; `subject` is valid UTF-8. Thread-safe.
  bool find(std::string_view subject, size_t from, Match& match) const;
  // All matches from left to right, without empty ones, into `out` (cleared first).
  void find_all(std::string_view subject, std::vector<Match>& out) const;

 private:
  std::shared_ptr<const void> code_;  // a compiled PCRE2 pattern
  std::string where_;
};

// `pattern` in PCRE2's own syntax, with the differences to the language above made explicit.
std::string to_pcre2(std::string_view pattern, std::string_view where);

}  // namespace plaudit
