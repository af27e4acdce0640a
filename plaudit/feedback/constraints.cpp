#include "plaudit/feedback/constraints.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/data/regex.h"
#include "plaudit/data/text.h"
#include "plaudit/data/unicode.h"
#include "plaudit/feedback/letters.h"

namespace plaudit {
namespace {

const Check constraint_check("verify.constraint");

// The arguments of one constraint; every read names the key.
class Args {
 public:
  explicit Args(const Json& json) : json_(json) {}

  std::string text(const char* key) const {
    const auto& value = find(key);
    if (!value.is_string()) wrong_type(key, "a string", value);
    return value.get<std::string>();
  }

  int64_t count(const char* key) const {
    const auto& value = find(key);
    if (value.is_number_integer()) return value.get<int64_t>();
    if (value.is_number_float() && std::abs(value.get<double>()) < 1e15 &&
        value.get<double>() == std::floor(value.get<double>()))
      return static_cast<int64_t>(value.get<double>());
    wrong_type(key, "an integer", value);
  }

  std::vector<std::string> texts(const char* key) const {
    const auto& value = find(key);
    if (!value.is_array()) wrong_type(key, "a list of strings", value);
    std::vector<std::string> out;
    for (const auto& item : value) {
      if (!item.is_string()) wrong_type(key, "a list of strings", value);
      out.push_back(item.get<std::string>());
    }
    return out;
  }

 private:
  const Json& find(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end())
      constraint_check.refuse(ErrorKind::value, "args",
                              fmt::format("needs the key '{}', got {}", key, json_.dump()));
    return *found;
  }
  [[noreturn]] static void wrong_type(const char* key, const char* expected, const Json& value) {
    constraint_check.refuse(ErrorKind::type, "args",
                            fmt::format("key '{}' must be {}, got {}", key, expected, value.dump()));
  }

  const Json& json_;
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (size_t at = 0;;) {
    const auto end = text.find(separator, at);
    parts.push_back(text.substr(at, end - at));
    if (end == std::string_view::npos) return parts;
    at = end + separator.size();
  }
}

int64_t count_of(std::string_view text, std::string_view part) {
  return static_cast<int64_t>(split(text, part).size()) - 1;
}

// Maximal runs of letters, digits and _.
std::vector<std::string_view> words(const std::string& text) {
  static const Regex word("[\\p{L}\\p{N}_]+", "verify.constraint");
  std::vector<Regex::Match> matches;
  word.find_all(text, matches);
  std::vector<std::string_view> out;
  for (const auto& m : matches) out.push_back(std::string_view(text).substr(m.begin, m.end - m.begin));
  return out;
}

// Runs without white space.
int64_t space_separated(std::string_view text) {
  int64_t count = 0;
  for (text = strip(text); !text.empty(); ++count) {
    size_t end = 0;
    while (end < text.size() && strip(text.substr(end)).size() == text.size() - end)
      next_code_point(text, end);
    text = strip(text.substr(end));
  }
  return count;
}

// Matches of open..close: leftmost shortest, not overlapping, on one line, possibly empty inside.
int64_t bracketed(std::string_view text, std::string_view open, std::string_view close) {
  int64_t count = 0;
  for (const auto line : split(text, "\n")) {
    for (size_t at = 0; (at = line.find(open, at)) != std::string_view::npos; ++count) {
      at = line.find(close, at + open.size());
      if (at == std::string_view::npos) break;
      at += close.size();
    }
  }
  return count;
}

bool quantified(int64_t count, const Args& args) {
  const auto n = args.count("N");
  const auto quantifier = args.text("quantifier");
  constraint_check.choice("args", quantifier, {"at least", "at most", "around"});
  if (quantifier == "at least") return count >= n;
  if (quantifier == "at most") return count <= n;
  const double slack = std::max(std::nearbyint(0.1 * static_cast<double>(n)), 1.0);
  return std::abs(static_cast<double>(count - n)) <= slack;
}

bool has_keywords(const std::string& text, const Args& args) {
  const auto lower = lower_case(text);
  const auto keywords = args.texts("keyword_list");
  return std::all_of(keywords.begin(), keywords.end(),
                     [&](const auto& word) { return contains(lower, lower_case(word)); });
}

bool has_keyword_times(const std::string& text, const Args& args) {
  const auto lower = lower_case(text), word = lower_case(args.text("word"));
  const auto all = words(lower);
  return std::count(all.begin(), all.end(), word) == args.count("N");
}

bool has_no_forbidden_word(const std::string& text, const Args& args) {
  const auto lower = lower_case(text);
  const auto forbidden = args.texts("forbidden_words");
  return std::none_of(forbidden.begin(), forbidden.end(),
                      [&](const auto& word) { return contains(lower, lower_case(word)); });
}

bool has_letter_times(const std::string& text, const Args& args) {
  const auto letter = repair_utf8(args.text("letter"));
  if (count_code_points(letter) != 1)
    constraint_check.refuse(ErrorKind::value, "args",
                            "key 'letter' must be one letter, got '" + letter + "'");
  return count_of(text, letter) == args.count("N");
}

bool has_capital_words(const std::string& text, const Args& args) {
  const auto all = words(text);
  return quantified(std::count_if(all.begin(), all.end(),
                                  [](std::string_view word) {
                                    return std::all_of(word.begin(), word.end(),
                                                       [](char c) { return c >= 'A' && c <= 'Z'; });
                                  }),
                    args);
}

bool has_paragraphs(const std::string& text, const Args& args) {
  const auto parts = split(text, "* * *");
  return static_cast<int64_t>(parts.size()) == args.count("N") &&
         std::none_of(parts.begin(), parts.end(), [](std::string_view part) { return strip(part).empty(); });
}

bool has_first_word(const std::string& text, const Args& args) {
  const auto parts = split(text, "\n\n");
  const auto n = args.count("N"), i = args.count("i");
  const auto first = args.text("first_word");
  if (static_cast<int64_t>(parts.size()) != n || i < 1 || i > n) return false;
  return strip(parts[static_cast<size_t>(i - 1)]).starts_with(first);
}

bool has_postscript(const std::string& text, const Args& args) {
  const auto marker = args.text("marker");
  const auto at = text.find(marker);
  return at != std::string::npos && !strip(std::string_view(text).substr(at + marker.size())).empty();
}

bool has_bullets(const std::string& text, const Args& args) {
  const auto lines = split(text, "\n");
  return std::count_if(lines.begin(), lines.end(), [](std::string_view line) {
           const auto start = strip(line).substr(0, 1);
           return start == "*" || start == "-";
         }) == args.count("N");
}

bool has_choice(const std::string& text, const Args& args) {
  const auto options = args.texts("options");
  return std::any_of(options.begin(), options.end(),
                     [&](const auto& option) { return contains(text, option); });
}

bool has_two_responses(const std::string& text, const Args&) {
  const auto sides = split(text, "******");
  return sides.size() == 2 && strip(sides[0]) != strip(sides[1]);
}

using Constraint = bool (*)(const std::string& text, const Args& args);

const std::map<std::string, Constraint>& constraints() {
  static const std::map<std::string, Constraint> all = {
      {"keywords", has_keywords},
      {"keyword_frequency", has_keyword_times},
      {"forbidden_words", has_no_forbidden_word},
      {"letter_frequency", has_letter_times},
      {"word_count",
       [](const auto& text, const auto& args) { return quantified(space_separated(text), args); }},
      {"capital_words", has_capital_words},
      {"paragraph_count", has_paragraphs},
      {"paragraph_first_word", has_first_word},
      {"postscript", has_postscript},
      {"placeholders",
       [](const auto& text, const auto& args) { return bracketed(text, "[", "]") >= args.count("N"); }},
      {"bullets", has_bullets},
      {"title", [](const auto& text, const auto&) { return bracketed(text, "<<", ">>") > 0; }},
      {"choice", has_choice},
      {"highlights",
       [](const auto& text, const auto& args) { return bracketed(text, "*", "*") >= args.count("N"); }},
      {"json", [](const auto& text, const auto&) { return Json::accept(text); }},
      {"repeat_prompt",
       [](const auto& text, const auto& args) { return text.starts_with(args.text("prompt")); }},
      {"two_responses", has_two_responses},
      {"uppercase", [](const auto& text, const auto&) { return is_upper_case(text); }},
      {"lowercase", [](const auto& text, const auto&) { return is_lower_case(text); }},
      {"end_phrase", [](const auto& text, const auto& args) { return text.ends_with(args.text("phrase")); }},
      {"quotation",
       [](const auto& text, const auto&) { return text.starts_with('"') && text.ends_with('"'); }},
      {"no_commas", [](const auto& text, const auto&) { return !contains(text, ","); }},
  };
  return all;
}

}  // namespace

std::vector<std::string> constraint_names() {
  std::vector<std::string> names;
  for (const auto& [name, constraint] : constraints()) names.push_back(name);
  return names;
}

bool satisfies_constraint(std::string_view text, const std::string& name, const Json& args) {
  constraint_check.choice("name", name, constraint_names());
  if (!args.is_object())
    constraint_check.refuse(ErrorKind::type, "args", "must be an object, got " + args.dump());
  return constraints().at(name)(repair_utf8(text), Args(args));
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("constraint(str text, str name, str args='{}') -> (bool satisfied)",
        [](const std::string& text, const std::string& name, const std::string& args) {
          const auto parsed = Json::parse(args, nullptr, /*allow_exceptions=*/false);
          if (parsed.is_discarded())
            constraint_check.refuse(ErrorKind::type, "args", "must be JSON, got " + excerpt(args));
          return satisfies_constraint(text, name, parsed);
        },
        "Whether a text satisfies a constraint that a program can check.", {"15"});
}

}  // namespace plaudit
