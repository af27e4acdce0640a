#include <cctype>

#include "plaudit/core/errors.h"
#include "plaudit/data/regex.h"

namespace plaudit {
namespace {

// White_Space. PCRE2's own \s also holds U+180E, which left the set in Unicode 6.3.
constexpr std::string_view kSpaceClass =
    "\\x09-\\x0D \\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}";
// PCRE2's own \w leaves out marks.
constexpr std::string_view kWord = "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}";

class Translator {
 public:
  Translator(std::string_view pattern, std::string_view where) : pattern_(pattern), where_(where) {}

  std::string run() {
    while (pos_ < pattern_.size()) {
      const char c = pattern_[pos_];
      if (c == '\\') {
        escape(false);
      } else if (c == '[') {
        character_class();
      } else if (c == '(') {
        group();
      } else {
        copy(1);
      }
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(std::string_view construct) const {
    fail(ErrorKind::value, where_,
         "does not know the construct '" + std::string(construct) + "' in the pattern '" +
             std::string(pattern_) + "'");
  }

  bool at(std::string_view text) const { return pattern_.substr(pos_, text.size()) == text; }

  void copy(size_t count) {
    out_.append(pattern_.substr(pos_, count));
    pos_ += count;
  }

  void group() {
    for (const std::string_view open : {"(?:", "(?i:", "(?i)", "(?=", "(?!", "(?<=", "(?<!", "(?>"}) {
      if (at(open)) return copy(open.size());
    }
    if (at("(?") || at("(*")) refuse(pattern_.substr(pos_, 3));
    copy(1);
  }

  // A set that stands alone or inside brackets.
  void set(std::string_view members, bool in_class, bool negated) {
    if (in_class && negated) refuse(pattern_.substr(pos_ - 2, 2));
    out_ += in_class ? std::string(members) : (negated ? "[^" : "[") + std::string(members) + "]";
  }

  void escape(bool in_class) {
    if (pos_ + 1 >= pattern_.size()) refuse("\\");
    const char c = pattern_[pos_ + 1];
    if (c == 's' || c == 'w' || c == 'W') {
      pos_ += 2;
      return set(c == 's' ? kSpaceClass : kWord, in_class, c == 'W');
    }
    if (c == 'S') {
      pos_ += 2;
      out_ += in_class ? "\\S\\x{180E}" : "[\\S\\x{180E}]";
      return;
    }
    if (c == 'v') {  // a vertical tab, where PCRE2 reads any vertical white space
      pos_ += 2;
      out_ += "\\x0B";
      return;
    }
    if (c == 'u' || c == 'x') return code_point();
    if (c == 'p' || c == 'P') return property();
    const bool known = std::string_view("dDrntf0").find(c) != std::string_view::npos;
    if (!known && std::isalnum(static_cast<unsigned char>(c))) refuse(pattern_.substr(pos_, 2));
    copy(2);
  }

  // \uHHHH, \xHH and \x{H...}, all written \x{H...}.
  void code_point() {
    const bool short_form = pattern_[pos_ + 1] == 'x';
    size_t begin = pos_ + 2, size = short_form ? 2 : 4, end = begin + size;
    if (short_form && begin < pattern_.size() && pattern_[begin] == '{') {
      end = pattern_.find('}', ++begin);
      if (end == std::string_view::npos) refuse(pattern_.substr(pos_, 3));
      size = end++ - begin;
    }
    const auto digits = pattern_.substr(std::min(begin, pattern_.size()), size);
    bool hex = !digits.empty() && digits.size() == size && size <= 6;
    for (const char d : digits) hex = hex && std::isxdigit(static_cast<unsigned char>(d));
    if (!hex) refuse(pattern_.substr(pos_, 2));
    out_ += "\\x{" + std::string(digits) + "}";
    pos_ = end;
  }

  void property() {
    size_t size = 3;  // \pL
    if (pos_ + 2 < pattern_.size() && pattern_[pos_ + 2] == '{') {
      const auto close = pattern_.find('}', pos_);
      if (close == std::string_view::npos) refuse(pattern_.substr(pos_, 3));
      size = close + 1 - pos_;
    }
    copy(size);
  }

  void character_class() {
    copy(1);
    if (at("^")) copy(1);
    if (at("]")) {  // a literal bracket when it comes first
      out_ += "\\]";
      ++pos_;
    }
    while (pos_ < pattern_.size() && pattern_[pos_] != ']') {
      if (pattern_[pos_] == '\\') {
        escape(true);
      } else if (at("[:")) {
        posix_class();
      } else if (pattern_[pos_] == '[') {
        refuse("[ inside a class");
      } else if (at("&&")) {
        refuse("&&");
      } else {
        copy(1);
      }
    }
    if (pos_ == pattern_.size()) refuse("[ without ]");
    copy(1);
  }

  void posix_class() {
    const auto close = pattern_.find(":]", pos_);
    if (close == std::string_view::npos) refuse("[:");
    copy(close + 2 - pos_);
  }

  std::string_view pattern_;
  std::string_view where_;
  size_t pos_ = 0;
  std::string out_;
};

}  // namespace

std::string to_pcre2(std::string_view pattern, std::string_view where) {
  return Translator(pattern, where).run();
}

}  // namespace plaudit
