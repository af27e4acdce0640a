#include "plaudit/feedback/reply_labels.h"

#include <cstdlib>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/data/regex.h"
#include "plaudit/data/text.h"
#include "plaudit/data/unicode.h"
#include "plaudit/feedback/letters.h"

namespace plaudit {
namespace {

// The end of the run of characters from `at` that are (not) word characters.
size_t skip(std::string_view text, size_t at, bool word) {
  while (at < text.size()) {
    size_t next = at;
    const auto c = next_code_point(text, next);
    if ((is_word_character(c) || is_number(c)) != word) break;
    at = next;
  }
  return at;
}

// The label at the start of `text`, if one stands there.
std::optional<int64_t> verdict(std::string_view text) {
  if (text.starts_with('1')) return 0;
  if (text.starts_with('2')) return 1;
  if (text.starts_with("none")) return 2;
  return std::nullopt;
}

// Matches the words of `key` at `at`, any underscores and white space between them; npos when they are not
// there.
size_t match_key(std::string_view text, size_t at, std::string_view key) {
  for (size_t i = 0; i < key.size(); ++i) {
    if (key[i] == '_') {
      while (at < text.size() && text[at] == '_') ++at;
      at = skip_space(text, at);
    } else if (at < text.size() && text[at] == key[i]) {
      ++at;
    } else {
      return std::string_view::npos;
    }
  }
  return at;
}

// \W*(?:\w+\s*)?(1|2|none), the optional word as long as possible.
std::optional<int64_t> match_verdict(std::string_view text, size_t at) {
  const auto start = skip(text, at, /*word=*/false);
  const auto end = skip(text, start, /*word=*/true);
  if (end == start) return std::nullopt;
  if (const auto found = verdict(text.substr(skip_space(text, end)))) return found;
  for (size_t cut = end; cut-- > start + 1;) {
    if (const auto found = verdict(text.substr(cut))) return found;
  }
  return verdict(text.substr(start));
}

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

// The text from `at` as far as it is a number, else "".
std::string_view number_at(std::string_view text, size_t at) {
  static const Regex number("[-+]?(?:[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+)(?:[eE][-+]?[0-9]+)?",
                            "verify.parse_score_reply");
  Regex::Match match;
  if (!number.find(text, at, match) || match.begin != at) return "";
  return text.substr(match.begin, match.end - match.begin);
}

// The number behind the first "key :".
std::optional<double> keyed_number(const std::string& text, std::string_view key) {
  const auto lower = lower_case(text), wanted = lower_case(key);
  for (size_t at = 0; (at = lower.find(wanted, at)) != std::string::npos; ++at) {
    size_t i = at + wanted.size();
    if (i < lower.size() && is_one_of(lower[i], "\"'")) ++i;
    i = skip_space(lower, i);
    if (i >= lower.size() || !is_one_of(lower[i], ":=")) continue;
    i = skip_space(lower, i + 1);
    if (i < lower.size() && is_one_of(lower[i], "\"'")) ++i;
    const auto number = number_at(lower, i);
    if (!number.empty()) return std::strtod(std::string(number).c_str(), nullptr);
  }
  return std::nullopt;
}

// True when a character forbids a number beside it.
bool touches(char32_t c) {
  return is_letter(c) || is_number(c) || c == '.' || c == '_';
}

// True when the character that ends before `at` forbids a number there.
bool touched_before(const std::string& text, size_t at) {
  if (at == 0) return false;
  while (at > 0 && (static_cast<unsigned char>(text[--at]) & 0xC0) == 0x80) {
  }
  return touches(next_code_point(text, at));
}

// The last number that stands free. A sign right behind a word or a number is a dash, as in "7-8".
std::optional<double> free_number(const std::string& text) {
  static const Regex number("[0-9]+(?:\\.[0-9]+)?", "verify.parse_score_reply");
  std::vector<Regex::Match> matches;
  number.find_all(text, matches);
  for (auto match = matches.rbegin(); match != matches.rend(); ++match) {
    size_t next = match->end;
    if (next < text.size() && touches(next_code_point(text, next))) continue;
    size_t begin = match->begin;
    if (touched_before(text, begin)) continue;
    if (begin > 0 && is_one_of(text[begin - 1], "+-") && !touched_before(text, begin - 1)) --begin;
    return std::strtod(text.substr(begin, match->end - begin).c_str(), nullptr);
  }
  return std::nullopt;
}

}  // namespace

LabelReply parse_label_reply(std::string_view text, std::string_view positive, std::string_view negative,
                             int64_t fallback) {
  const Check check("verify.parse_label_reply");
  if (positive.empty()) check.refuse(ErrorKind::value, "positive", "must not be empty");
  if (negative.empty()) check.refuse(ErrorKind::value, "negative", "must not be empty");
  if (text.find(positive) != std::string_view::npos) return {1, true};
  if (text.find(negative) != std::string_view::npos) return {0, true};
  return {fallback, false};
}

int64_t parse_ranking_reply(std::string_view text, std::string_view key) {
  const auto lower = lower_case(text), wanted = lower_case(key);
  if (wanted.empty())
    Check("verify.parse_ranking_reply").refuse(ErrorKind::value, "key", "must not be empty");
  for (size_t at = 0; at < lower.size(); ++at) {
    const auto end = match_key(lower, at, wanted);
    if (end == std::string_view::npos) continue;
    if (const auto label = match_verdict(lower, end)) return *label;
  }
  return 2;
}

int64_t parse_preference_reply(std::string_view reply) {
  auto line = strip(reply);
  if (const auto last = line.rfind('\n'); last != std::string_view::npos) line = line.substr(last + 1);
  const auto strip_set = [&](std::string_view front, std::string_view back) {
    for (size_t size = 0; size != line.size();) {
      size = line.size();
      line = strip(line);
      while (!line.empty() && is_one_of(line.front(), front)) line.remove_prefix(1);
      while (!line.empty() && is_one_of(line.back(), back)) line.remove_suffix(1);
    }
  };
  strip_set("\"'`*.:", "\"'`*.");
  if (line == "0") return 1;
  if (line == "1") return 0;
  return -1;
}

double parse_score_reply(std::string_view text, double low, double high,
                         const std::optional<std::string>& key) {
  const Check check("verify.parse_score_reply");
  const auto valid = repair_utf8(text);
  if (key && key->empty()) check.refuse(ErrorKind::value, "key", "must not be empty");
  const auto score = key ? keyed_number(valid, *key) : free_number(valid);
  if (!score) check.refuse(ErrorKind::empty, "text", "holds no score: '" + excerpt(text) + "'");
  check.that(*score >= low && *score <= high, "text", fmt::format("a score in [{}, {}]", low, high), *score);
  return *score;
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("parse_label_reply(str text, str positive, str negative, int default=0) -> (int label, bool matched)",
        [](const std::string& text, const std::string& positive, const std::string& negative,
           int64_t fallback) { return as_tuple(parse_label_reply(text, positive, negative, fallback)); },
        "The label that a reply gives by one of two tokens.", {"07"});
  m.def("parse_ranking_reply(str text, str key='best_description') -> (int label)",
        [](const std::string& text, const std::string& key) { return parse_ranking_reply(text, key); },
        "Which of two a reply calls best: 0, 1, or 2 for a tie.", {"07"});
  m.def("parse_preference_reply(str reply) -> (int label)",
        [](const std::string& reply) { return parse_preference_reply(reply); },
        "The preference on the last line of a reply: 1 first, 0 second, -1 unsure.", {"11"});
  m.def("parse_score_reply(str text, float low, float high, str? key=None) -> (float score)",
        [](const std::string& text, double low, double high, const std::optional<std::string>& key) {
          return parse_score_reply(text, low, high, key);
        },
        "The score in a reply, checked against its range.", {"91"});
}

}  // namespace plaudit
