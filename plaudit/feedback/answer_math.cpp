#include "plaudit/feedback/answer_math.h"

#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/data/normalizer.h"
#include "plaudit/data/text.h"
#include "plaudit/feedback/rational.h"

namespace plaudit {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The end of the group whose '{' stands at `open`, behind its '}'; npos when it never closes.
size_t group_end(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

// Drops "\text{..}", "\mbox{..}" or "\mathrm{..}" at the end, once.
void drop_trailing_unit(std::string& s) {
  if (s.empty() || s.back() != '}') return;
  const auto open = s.rfind('{');
  if (open == std::string::npos || s.find('}', open) != s.size() - 1) return;
  for (const std::string_view command : {"\\text", "\\mbox", "\\mathrm"}) {
    if (open < command.size() || s.compare(open - command.size(), command.size(), command) != 0) continue;
    const auto held = std::string_view(s).substr(open + 1, s.size() - open - 2);
    const auto start = open - command.size();
    const bool number = command == "\\mathrm" && (held == "i" || held == "e");
    if (!number && start > 0) s.resize(start);
    return;
  }
}

// Drops the comma of digit-comma-three digits.
void drop_thousands_commas(std::string& s) {
  std::string out;
  for (size_t i = 0; i < s.size(); ++i) {
    const auto digit = [&](size_t at) { return at < s.size() && is_digit(s[at]); };
    if (s[i] == ',' && i > 0 && digit(i - 1) && digit(i + 1) && digit(i + 2) && digit(i + 3) && !digit(i + 4))
      continue;
    out.push_back(s[i]);
  }
  s = std::move(out);
}

// "\frac12" to "\frac{1}{2}", "\frac1{2}" likewise; "\sqrt2" to "\sqrt{2}".
void brace_arguments(std::string& s) {
  const auto bare = [&](size_t at) { return at < s.size() && (is_digit(s[at]) || is_ascii_letter(s[at])); };
  const auto brace = [&](size_t at) { s.replace(at, 1, std::string("{") + s[at] + "}"); };
  for (size_t at = 0; (at = s.find("\\frac", at)) != std::string::npos;) {
    at += 5;
    const bool second = bare(at + 1) || (at + 1 < s.size() && s[at + 1] == '{');
    if (!bare(at) || !second) continue;
    if (bare(at + 1)) brace(at + 1);
    brace(at);
  }
  for (size_t at = 0; (at = s.find("\\sqrt", at)) != std::string::npos;) {
    at += 5;
    if (bare(at)) brace(at);
  }
}

// "[-]\frac{int}{int}", "int/int" or a decimal.
std::optional<Rational> rational_of(std::string_view s) {
  auto body = s;
  const bool negative = !body.empty() && body[0] == '-';
  if (negative) body.remove_prefix(1);
  constexpr std::string_view frac = "\\frac{";
  if (!body.starts_with(frac)) return parse_rational(s);
  const auto middle = body.find("}{");
  if (middle == std::string_view::npos || !body.ends_with("}") || middle + 2 > body.size() - 1)
    return std::nullopt;
  auto r = make_rational(body.substr(frac.size(), middle - frac.size()),
                         body.substr(middle + 2, body.size() - middle - 3));
  if (r && negative && r->numerator != "0") r->negative = !r->negative;
  return r;
}

// X of "Final Answer: The final answer is X. I hope it is correct.", on one line.
std::optional<std::string> stated_answer(std::string_view text) {
  constexpr std::string_view before = "Final Answer: The final answer is", after = ". I hope it is correct.";
  for (size_t at = 0; (at = text.find(before, at)) != std::string_view::npos;) {
    at += before.size();
    const auto end = text.find(after, at);
    if (end == std::string_view::npos) return std::nullopt;
    const auto answer = text.substr(at, end - at);
    if (answer.find('\n') == std::string_view::npos) return std::string(strip(answer));
  }
  return std::nullopt;
}

std::vector<std::string> candidates(std::string_view prediction) {
  std::vector<std::string> found;
  if (auto boxed = last_boxed(prediction)) found.push_back(std::move(*boxed));
  if (auto stated = stated_answer(prediction)) found.push_back(std::move(*stated));
  if (!found.empty()) return found;
  const auto last = prediction.rfind('$');
  if (last != std::string_view::npos && last > 0) {
    const auto before = prediction.rfind('$', last - 1);
    if (before != std::string_view::npos)
      return {std::string(prediction.substr(before + 1, last - before - 1))};
  }
  return {std::string(prediction)};
}

}  // namespace

std::optional<std::string> last_boxed(std::string_view text) {
  for (const std::string_view command : {"\\boxed", "\\fbox"}) {
    const auto at = text.rfind(command);
    if (at == std::string_view::npos) continue;
    const auto open = text.find_first_not_of(' ', at + command.size());
    if (open == std::string_view::npos || text[open] != '{') return std::nullopt;
    const auto end = group_end(text, open);
    if (end == std::string_view::npos) return std::nullopt;
    return std::string(text.substr(open + 1, end - open - 2));
  }
  return std::nullopt;
}

std::string normalize_math(std::string_view answer) {
  answer = strip(answer);
  while (answer.starts_with('$')) answer.remove_prefix(1);
  while (answer.ends_with('$')) answer.remove_suffix(1);
  std::string s(strip(answer));
  for (const std::string_view spacing : {"\\left", "\\right", "\\!", "\\,", "\\ "})
    s = replace_all(s, spacing, "");
  s = replace_all(s, "dfrac", "frac");
  s = replace_all(s, "tfrac", "frac");
  for (const std::string_view sign : {"^\\circ", "\\%", "%", "\\$", "$"}) s = replace_all(s, sign, "");
  s = strip(s);
  drop_trailing_unit(s);
  for (const std::string_view blank : {" ", "\t", "\n", "\r"}) s = replace_all(s, blank, "");
  while (s.ends_with('.')) s.pop_back();
  for (const size_t letters : {size_t{1}, size_t{2}}) {
    if (s.size() <= letters || s[letters] != '=' || !is_ascii_letter(s[0]) ||
        !is_ascii_letter(s[letters - 1]))
      continue;
    s.erase(0, letters + 1);
    break;
  }
  drop_thousands_commas(s);
  brace_arguments(s);
  return s;
}

bool math_equal(std::string_view a, std::string_view b) {
  const auto x = normalize_math(a), y = normalize_math(b);
  const auto p = rational_of(x), q = rational_of(y);
  if (p && q) return *p == *q;
  // A fraction over zero has a form but no value: it equals nothing that is written differently.
  return x == y;
}

double check_math(std::string_view prediction, std::string_view label) {
  for (const auto& candidate : candidates(prediction)) {
    if (math_equal(candidate, label)) return 1;
  }
  return 0;
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("last_boxed(str text) -> (str? answer)", [](const std::string& text) { return last_boxed(text); },
        "What the last \\boxed{..} of a text holds, or none.", {"15", "39"});
  m.def("math_equal(str a, str b) -> (bool equal)",
        [](const std::string& a, const std::string& b) { return math_equal(a, b); },
        "Whether two LaTeX answers are the same string or the same rational.", {"15"});
  m.def("math(str prediction, str label) -> (float score)",
        [](const std::string& prediction, const std::string& label) { return check_math(prediction, label); },
        "1 when the final answer of a solution equals the label.", {"15", "39", "04"});
}

}  // namespace plaudit
