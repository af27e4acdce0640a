#include "plaudit/feedback/answer_gsm8k.h"

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/data/regex.h"
#include "plaudit/data/unicode.h"
#include "plaudit/feedback/letters.h"

namespace plaudit {
namespace {

// Deletes the comma of every match of digit-comma-digit; matches do not overlap.
std::string without_digit_commas(const std::string& text) {
  static const Regex pattern("\\d,\\d", "verify.gsm8k");
  std::vector<Regex::Match> matches;
  pattern.find_all(text, matches);
  std::string out;
  size_t done = 0;
  for (const auto& match : matches) {
    const auto comma = text.find(',', match.begin);
    out.append(text, done, comma - done);
    done = comma + 1;
  }
  return out.append(text, done, std::string::npos);
}

}  // namespace

Gsm8kVerdict check_gsm8k(std::string_view prediction, std::string_view label) {
  static const Regex number("[-+]?(?:\\d*\\.\\d+|\\d+)", "verify.gsm8k");
  auto text = without_digit_commas(repair_utf8(prediction));
  std::vector<Regex::Match> matches;
  number.find_all(text, matches);
  if (!matches.empty()) text = text.substr(matches.back().begin, matches.back().end - matches.back().begin);
  return {lower_case(text) == lower_case(label) ? 1.0 : 0.0, text};
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("gsm8k(str prediction, str label) -> (float score, str extracted)",
        [](const std::string& prediction, const std::string& label) {
          return as_tuple(check_gsm8k(prediction, label));
        },
        "1 when the last number of the text is the label.", {"15", "04"});
}

}  // namespace plaudit
