#include "plaudit/feedback/verifier_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "plaudit/core/errors.h"
#include "plaudit/feedback/answer_gsm8k.h"
#include "plaudit/feedback/answer_math.h"
#include "plaudit/feedback/constraints.h"
#include "plaudit/feedback/judges.h"

namespace plaudit {
namespace {

// Lower-case, without blanks around it and a final period.
std::string plain_answer(std::string text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  if (text.size() > 1 && text.back() == '.') text.pop_back();
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

double constraints_met(const std::string& text, const Json& truth) {
  const auto list = truth.is_array() ? truth : Json::array({truth});
  if (list.empty()) fail(ErrorKind::empty, "ground_truth", "lists no constraint");
  double met = 0;
  for (const auto& one : list) {
    if (!one.is_object() || !one.contains("name") || !one["name"].is_string())
      fail(ErrorKind::type, "ground_truth", "must name its constraint");
    met += satisfies_constraint(text, one["name"].get<std::string>(), one) ? 1 : 0;
  }
  return met / static_cast<double>(list.size());
}

std::string label_of(const Json& truth) {
  if (truth.is_string()) return truth.get<std::string>();
  if (truth.is_number()) return truth.dump();
  fail(ErrorKind::type, "ground_truth", "must be a text or a number");
}

// The last number of an answer is read without its commas, so such a label would never match.
std::string gsm8k_label(const Json& truth) {
  auto label = label_of(truth);
  if (label.empty()) fail(ErrorKind::empty, "ground_truth", "of gsm8k is empty");
  if (label.find(',') != std::string::npos)
    fail(ErrorKind::value, "ground_truth", "of gsm8k must be a number without commas, got '" + label + "'");
  return label;
}

double verify(const Answer& answer) {
  const auto& extra = answer.extra;
  const char* key = extra.contains("verifier") ? "verifier" : "dataset";
  if (!extra.contains(key) || !extra[key].is_string())
    fail(ErrorKind::value, "verifier", "is not named by the record of the prompt");
  if (!extra.contains("ground_truth")) fail(ErrorKind::value, "ground_truth", "is missing from the record");
  const auto rule = extra[key].get<std::string>();
  const auto& truth = extra["ground_truth"];
  if (rule == "gsm8k") return check_gsm8k(answer.text, gsm8k_label(truth)).score;
  if (rule == "math") return check_math(answer.text, label_of(truth));
  if (rule == "exact") return plain_answer(answer.text) == plain_answer(label_of(truth)) ? 1 : 0;
  if (rule == "constraint" || rule == "ifeval") return constraints_met(answer.text, truth);
  fail(ErrorKind::value, "verifier",
       "'" + rule + "' is not known" + suggestion(rule, {"gsm8k", "math", "exact", "constraint"}));
}

const JudgeRegistrar verifier_registrar(
    {"verifier",
     "the rule that the prompt's record names: gsm8k, math, exact, constraint",
     {},
     [](const JudgeOptions&) -> std::unique_ptr<Judge> { return std::make_unique<VerifierJudge>(); }});

}  // namespace

std::vector<Judgement> VerifierJudge::judge(const std::vector<Answer>& answers) {
  std::vector<Judgement> out;
  for (const auto& answer : answers) {
    try {
      out.push_back({verify(answer), ""});
    } catch (const UserError& error) {
      out.push_back({0, message_of(error)});
    }
  }
  return out;
}

// Every rule reads all that it needs of its record before it looks at the text, so its verdict on an empty
// one tells.
std::string VerifierJudge::unusable(const Json& record) const {
  try {
    verify({{}, "", record});
    return "";
  } catch (const UserError& error) {
    return "verifier: " + message_of(error);
  }
}

}  // namespace plaudit
