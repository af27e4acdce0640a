// Every verifier by its registered name, on odd text: a result in its range or a named error, soon.
#include <gtest/gtest.h>

#include "plaudit/core/call.h"
#include "plaudit/feedback/constraints.h"
#include "tests/support/odd_text.h"

namespace plaudit {
namespace {

using testing::ends;
using testing::odd_text;

struct Verifier {
  std::string name;
  std::function<Json(Rng&)> arguments;
  std::function<bool(const Json&)> in_range = [](const Json&) { return true; };
};

bool share(const Json& value) {
  return value.is_number() && value.get<double>() >= 0 && value.get<double>() <= 1;
}

std::vector<Verifier> verifiers() {
  const auto text = [](const char* name) { return [name](Rng& r) { return Json{{name, odd_text(r)}}; }; };
  const auto answer = [](Rng& r) { return Json{{"prediction", odd_text(r)}, {"label", odd_text(r)}}; };
  const auto zero_or_one = [](const char* name) {
    return [name](const Json& out) { return out.at(name) == 0 || out.at(name) == 1; };
  };
  return {
      {"verify.math", answer, zero_or_one("score")},
      {"verify.gsm8k", answer, zero_or_one("score")},
      {"verify.math_equal",
       [](Rng& r) {
         return Json{{"a", odd_text(r)}, {"b", odd_text(r)}};
       }},
      {"verify.last_boxed", text("text")},
      {"verify.think_answer_format", text("text"), zero_or_one("match")},
      {"verify.extract_answer", text("text")},
      {"verify.parse_boxes", text("text"),
       [](const Json& out) { return out.at("boxes").is_null() == out.at("confidence").is_null(); }},
      {"verify.parse_point_box", text("text"),
       [](const Json& out) { return out.at("box").is_null() || out.at("box").size() == 4; }},
      {"verify.constraint",
       [](Rng& r) {
         const auto names = constraint_names();
         auto given = testing::constraint_arguments();
         if (r.below(4) == 0) given["N"] = r.below(3) == 0 ? Json("x") : Json(r.below(5) - 2);
         if (r.below(6) == 0) given["word"] = odd_text(r).substr(0, 1);
         return Json{{"text", odd_text(r)},
                     {"name", names[static_cast<size_t>(r.below(static_cast<int64_t>(names.size())))]},
                     {"args", given.dump(-1, ' ', false, Json::error_handler_t::replace)}};
       }},
      {"verify.constraint",
       [](Rng& r) {
         return Json{{"text", odd_text(r)}, {"name", odd_text(r)}, {"args", odd_text(r)}};
       }},
      {"verify.calculator", text("expression"), [](const Json& out) { return out.at("value").is_number(); }},
      {"verify.game24",
       [](Rng& r) {
         return Json{{"numbers", {1, 5, 5, 5}}, {"expression", odd_text(r)}};
       }},
      {"verify.calculator_check",
       [](Rng& r) {
         return Json{{"action_input", odd_text(r)}, {"answer", odd_text(r)}};
       }},
      {"verify.parse_tool_step", text("text")},
      {"verify.calendar",
       [](Rng& r) {
         const std::vector<std::string> operations = {"week_day", "target_day", "day_difference"};
         return Json{{"operation", operations[static_cast<size_t>(r.below(3))]}, {"input", odd_text(r)}};
       }},
      {"verify.parse_label_reply",
       [](Rng& r) {
         return Json{{"text", odd_text(r)}, {"positive", "yes"}, {"negative", "No"}, {"default", 0}};
       },
       [](const Json& out) { return share(out.at("label")); }},
      {"verify.parse_ranking_reply", text("text"),
       [](const Json& out) { return out.at("label") >= 0 && out.at("label") <= 2; }},
      {"verify.parse_preference_reply", text("reply"),
       [](const Json& out) { return out.at("label") >= -1 && out.at("label") <= 1; }},
      {"verify.parse_score_reply",
       [](Rng& r) {
         Json given{{"text", odd_text(r)}, {"low", 0}, {"high", 1}};
         if (r.below(2) == 0) given["key"] = "score";
         return given;
       },
       [](const Json& out) { return share(out.at("score")); }},
      {"verify.extract_code", text("text")},
      {"verify.map_symbols",
       [](Rng& r) {
         return Json{{"code", odd_text(r)}, {"mapping", R"({"a": "word", "x": "a"})"}};
       }},
      {"verify.last_word_guess",
       [](Rng& r) {
         return Json{{"question", odd_text(r)}, {"names", {odd_text(r), "Paris"}}};
       }},
      {"verify.should_retry",
       [](Rng& r) {
         return Json{{"status", r.below(700)}, {"headers", odd_text(r)}};
       }},
      {"verify.request_key", text("request")},
      {"verify.program_check", [](Rng& r) {
         return Json{{"source", odd_text(r)}, {"bindings", R"(["self.x"])"}};
       }}};
}

TEST(VerifiersOddText, EndInARangeOrANamedError) {
  for (const auto& verifier : verifiers()) {
    Rng random(0, verifier.name);
    int answered = 0;
    for (int i = 0; i < 1500; ++i) {
      const auto given = verifier.arguments(random);
      const auto shown = verifier.name + " " + given.dump(-1, ' ', false, Json::error_handler_t::replace);
      Json out;
      if (!ends([&] { out = call_function(verifier.name, given); }, shown)) continue;
      ++answered;
      ASSERT_TRUE(verifier.in_range(out))
          << shown.substr(0, 2000) << "\n"
          << out.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 2000);
      if (HasFailure()) return;
    }
    RecordProperty(verifier.name, answered);
  }
}

}  // namespace
}  // namespace plaudit
