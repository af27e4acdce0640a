#include "plaudit/feedback/tool_steps.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "plaudit/core/call.h"
#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/data/text.h"
#include "plaudit/data/unicode.h"
#include "plaudit/feedback/arithmetic.h"

namespace plaudit {
namespace {

constexpr auto npos = std::string_view::npos;

size_t skip_digits(std::string_view text, size_t at) {
  const auto end = text.find_first_not_of("0123456789", at);
  return end == npos ? text.size() : end;
}

// Matches `word` \s* digits* \s*; the position behind it, or npos.
size_t match_numbered(std::string_view text, size_t at, std::string_view word) {
  if (at == npos || !text.substr(std::min(at, text.size())).starts_with(word)) return npos;
  return skip_space(text, skip_digits(text, skip_space(text, at + word.size())));
}

size_t match_colon(std::string_view text, size_t at) {
  return at != npos && at < text.size() && text[at] == ':' ? at + 1 : npos;
}

// What the model wrote before the tool answered.
std::string_view before_observation(std::string_view text) {
  if (const auto cut = text.find("<start_observation>"); cut != npos) return text.substr(0, cut);
  for (size_t at = 0; (at = text.find('\n', at)) != npos; ++at) {
    auto line = text.substr(at + 1);
    if (line.starts_with('\t')) line.remove_prefix(1);
    if (line.starts_with("Observation:")) return text.substr(0, at);
  }
  return text;
}

std::string tool_input(std::string_view text) {
  text = strip(text);
  if (text.starts_with("SELECT ")) return std::string(text);
  while (text.starts_with('"')) text.remove_prefix(1);
  while (text.ends_with('"')) text.remove_suffix(1);
  return std::string(text);
}

std::optional<ToolStep> parse_action(std::string_view text) {
  for (size_t at = 0; (at = text.find("Action", at)) != npos; ++at) {
    const auto name = match_colon(text, match_numbered(text, at, "Action"));
    if (name == npos) continue;
    for (size_t next = name; (next = text.find("Action", next)) != npos; ++next) {
      const auto input =
          match_colon(text, match_numbered(text, match_numbered(text, next, "Action"), "Input"));
      if (input == npos) continue;
      return ToolStep{"action", std::string(strip(text.substr(name, next - name))),
                      tool_input(text.substr(input)), ""};
    }
  }
  return std::nullopt;
}

std::string without(std::string text, std::string_view part) {
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos;) text.erase(at, part.size());
  return text;
}

// The first number on the first line with "####", blanks or stars and a digit.
std::optional<double> stated_number(std::string_view answer) {
  for (size_t at = 0; (at = answer.find("####", at)) != npos; ++at) {
    const auto start = answer.find_first_not_of(" *", at + 4);
    if (start == npos || start == at + 4 || answer[start] < '0' || answer[start] > '9') continue;
    std::string digits;
    for (const char c : answer.substr(start)) {
      if ((c >= '0' && c <= '9') || (c == '.' && digits.find('.') == std::string::npos)) {
        digits.push_back(c);
      } else if (c != ',') {
        break;
      }
    }
    return std::strtod(digits.c_str(), nullptr);
  }
  return std::nullopt;
}

bool close(double a, double b) {
  return std::abs(a - b) <= 1e-6 * std::max(std::abs(a), std::abs(b));
}

std::optional<double> value_of(std::string_view expression) {
  try {
    return calculate(expression);
  } catch (const UserError&) {
    return std::nullopt;
  }
}

// Evaluates one "<<EXPR=..>>SHOWN" into `value`; false when it is malformed or shows another value.
bool step_is_right(std::string_view step, std::optional<double>& value) {
  const auto open = step.find("<<"), equals = step.find('=', open == npos ? 0 : open),
             end = step.find(">>", equals);
  if (open == npos || equals == npos || end == npos) return false;
  const auto computed = value_of(step.substr(open + 2, equals - open - 2));
  if (!computed) return false;
  value = computed;
  const auto shown = strip(step.substr(end + 2));
  if (shown.empty()) return true;
  const auto stated = value_of(shown);
  return stated && close(*computed, *stated);
}

std::string printed(const std::optional<double>& value) {
  if (!value) return "none";
  char text[64];
  std::snprintf(text, sizeof text, "%.10g", *value);
  return text;
}

}  // namespace

ToolStep parse_tool_step(std::string_view raw) {
  const auto text = before_observation(raw);
  if (auto action = parse_action(text)) return *action;
  if (text.find("Work:") != npos || text.find("<start_work>") != npos) {
    const auto body = without(without(std::string(text), "<start_work>"), "Work:");
    return {"work", "", "", std::string(strip(body))};
  }
  if (const auto last = text.rfind("Finished"); last != npos)
    return {"finish", "", "", std::string(strip(text.substr(last + 8)))};
  return {"none", "", "", ""};
}

std::string tool_transcript(const std::string& question, const std::string& answer,
                            const std::string& context, const std::vector<ToolCall>& calls,
                            const std::string& work, bool tools) {
  const auto asked = fmt::format("Question: {}\nAnswer: {}", question, answer);
  if (!tools) return asked;
  std::string text = "### USER:\n";
  if (!context.empty()) text += "Context: " + context + "\n";
  text += asked + "\n### ASSISTANT:";
  for (const auto& call : calls) {
    text += fmt::format(
        "\n<start_tool> Thought: {}\nAction: {}\nAction Input: {}\n<start_observation> Observation: {}",
        call.thought, call.action, call.input, call.observation);
  }
  if (!work.empty()) text += "\n<start_work> Work: " + work;
  return text;
}

CalculatorVerdict calculator_check(std::string_view action_input, std::string_view answer) {
  const auto wanted = stated_number(answer);
  if (!wanted) return {"no_answer", false, false, "No valid answer."};
  bool process = true;
  std::optional<double> result;
  for (size_t at = 0; at <= action_input.size();) {
    const auto end = std::min(action_input.find(", ", at), action_input.size());
    process = step_is_right(action_input.substr(at, end - at), result) && process;
    at = end + 2;
  }
  const bool right = result && close(*result, *wanted);
  if (process && right) return {"both_right", true, true, "Both the calculation and the answer are correct."};
  if (process) {
    return {"process_only", true, false,
            fmt::format("The calculation process is correct, but the resulting answer {} does not match the "
                        "predicted answer {}.",
                        printed(result), printed(wanted))};
  }
  if (right)
    return {"answer_only", false, true,
            "The calculation process is incorrect, but the answer matches the predicted answer."};
  return {"both_wrong", false, false,
          fmt::format(
              "Both the calculation and the answer are incorrect. The calculated answer {} does not match "
              "the predicted answer {}.",
              printed(result), printed(wanted))};
}

namespace {

std::vector<ToolCall> read_calls(const std::string& text) {
  const Check check("verify.tool_transcript");
  const auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) check.refuse(ErrorKind::type, "steps", "must be a list, got " + excerpt(text));
  std::vector<ToolCall> calls;
  for (const auto& item : json) {
    const auto field = [&](const char* key) {
      if (!item.is_object() || !item.contains(key) || !item[key].is_string())
        check.refuse(ErrorKind::type, "steps",
                     fmt::format("must hold objects with the string '{}', got {}", key, item.dump()));
      return item[key].get<std::string>();
    };
    calls.push_back({field("thought"), field("action"), field("input"), field("observation")});
  }
  return calls;
}

}  // namespace

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("parse_tool_step(str text) -> (str kind, str action, str input, str body)",
        [](const std::string& text) { return as_tuple(parse_tool_step(text)); },
        "The next step of a model that calls tools.", {"31"});
  m.def(
      "tool_transcript(str question, str answer, str context='', str steps='[]', str work='', bool "
      "tools=True) -> "
      "(str text)",
      [](const std::string& question, const std::string& answer, const std::string& context,
         const std::string& steps, const std::string& work,
         bool tools) { return tool_transcript(question, answer, context, read_calls(steps), work, tools); },
      "The transcript that a tool-using reward model reads.", {"31"});
  m.def(
      "calculator_check(str action_input, str answer) -> (str verdict, bool process_correct, bool "
      "answer_correct, str observation)",
      [](const std::string& action_input, const std::string& answer) {
        return as_tuple(calculator_check(action_input, answer));
      },
      "Whether a calculation and the answer that follows from it are right.", {"31"});
}

}  // namespace plaudit
