#include "plaudit/feedback/lexicon.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <unordered_set>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"

namespace plaudit {
namespace {

constexpr double kNegationWeight = -0.74;
constexpr double kNormalisation = 15;
constexpr int64_t kNegationReach = 3;

bool is_negation(std::string_view word) {
  static const std::unordered_set<std::string_view> words{"not",    "never",   "neither", "nor",    "none",
                                                          "nobody", "nothing", "nowhere", "cannot", "without",
                                                          "hardly", "barely",  "rarely",  "seldom"};
  return words.count(word) > 0 || word.ends_with("n't");
}

bool ends_clause(char c) {
  return std::string_view(".,;:!?").find(c) != std::string_view::npos;
}

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || c == '\'' || c == '-' ||
         byte >= 0x80;
}

// Lower case; the curly apostrophe becomes a straight one, and the dashes, quotes and ellipsis of
// U+2010..U+203F become spaces.
std::string plain_ascii(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool general = text.substr(i, 2) == "\xE2\x80" && i + 2 < text.size() &&
                         static_cast<unsigned char>(text[i + 2]) >= 0x90;
    if (general) {
      out += text[i + 2] == '\x99' ? '\'' : ' ';
      i += 2;
    } else {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return out;
}

std::string_view trimmed(std::string_view word) {
  const size_t first = word.find_first_not_of("'-");
  if (first == std::string_view::npos) return {};
  return word.substr(first, word.find_last_not_of("'-") - first + 1);
}

}  // namespace

// Scores one text from left to right.
class LexiconScan {
 public:
  explicit LexiconScan(const std::unordered_map<std::string, double>& grades) : grades_(grades) {}

  void piece(std::string_view piece) {
    if (!whole(piece)) words(piece);
    if (!piece.empty() && ends_clause(piece.back())) since_negation_ = kNegationReach + 1;
  }

  LexiconScore result() const { return result_; }

 private:
  // Takes the piece, with or without closing punctuation, if the lexicon has it.
  bool whole(std::string_view piece) {
    if (take_graded(piece)) return true;
    while (!piece.empty() && ends_clause(piece.back())) piece.remove_suffix(1);
    return take_graded(piece);
  }

  void words(std::string_view piece) {
    for (size_t begin = 0; begin < piece.size();) {
      size_t end = begin;
      while (end < piece.size() && is_word_byte(piece[end])) ++end;
      if (end > begin) word(trimmed(piece.substr(begin, end - begin)));
      if (end < piece.size() && ends_clause(piece[end])) since_negation_ = kNegationReach + 1;
      begin = end + 1;
    }
  }

  void word(std::string_view word) {
    if (word.empty() || take_graded(word)) return;
    const size_t hyphen = word.find('-');
    if (hyphen != std::string_view::npos) {
      this->word(trimmed(word.substr(0, hyphen)));
      this->word(trimmed(word.substr(hyphen + 1)));
      return;
    }
    ++result_.words;
    since_negation_ = is_negation(word) ? 0 : since_negation_ + 1;
  }

  bool take_graded(std::string_view token) {
    const auto found = grades_.find(std::string(token));
    if (found == grades_.end()) return false;
    ++result_.words;
    ++result_.graded;
    const bool negated = since_negation_ < kNegationReach;
    result_.sum += negated ? kNegationWeight * found->second : found->second;
    ++since_negation_;
    return true;
  }

  const std::unordered_map<std::string, double>& grades_;
  LexiconScore result_;
  int64_t since_negation_ = kNegationReach + 1;  // words since the last negation of this clause
};

double LexiconScore::normalised() const {
  return sum / std::sqrt(sum * sum + kNormalisation);
}

Lexicon Lexicon::load(const std::string& path) {
  std::unordered_map<std::string, double> grades;
  for_each_line(path, [&](int64_t number, const std::string& line) {
    if (line.empty()) return;
    const size_t tab = line.find('\t');
    const char* begin = tab == std::string::npos ? line.c_str() : line.c_str() + tab + 1;
    char* end = nullptr;
    const double mean = std::strtod(begin, &end);
    if (tab == std::string::npos || tab == 0 || end == begin || !std::isfinite(mean))
      fail(ErrorKind::type, path,
           fmt::format("line {} must be 'token TAB mean', got '{}'", number, line.substr(0, 60)));
    grades[plain_ascii(line.substr(0, tab))] = mean;
  });
  if (grades.empty()) fail(ErrorKind::empty, path, "holds no graded words");
  return Lexicon(std::move(grades));
}

LexiconScore Lexicon::score(std::string_view text) const {
  constexpr std::string_view spaces = " \t\r\n\v\f";
  const auto lower = plain_ascii(text);
  LexiconScan scan(grades_);
  std::string_view rest = lower;
  while (true) {
    const size_t begin = rest.find_first_not_of(spaces);
    if (begin == std::string_view::npos) return scan.result();
    rest.remove_prefix(begin);
    const auto piece = rest.substr(0, rest.find_first_of(spaces));
    scan.piece(piece);
    rest.remove_prefix(piece.size());
  }
}

}  // namespace plaudit
