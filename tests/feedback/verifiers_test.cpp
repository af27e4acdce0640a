// Verifiers of answers: values of the pages' rules, real solutions, and thousands of odd strings.
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "plaudit/core/call.h"
#include "plaudit/feedback/answer_gsm8k.h"
#include "plaudit/feedback/answer_math.h"
#include "plaudit/feedback/answer_tags.h"
#include "plaudit/feedback/arithmetic.h"
#include "plaudit/feedback/code_reply.h"
#include "plaudit/feedback/constraints.h"
#include "plaudit/feedback/guess.h"
#include "plaudit/feedback/reply_labels.h"
#include "plaudit/feedback/tool_steps.h"
#include "tests/support/odd_text.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using testing::expect_error;

// The lines of a gzip file; none when it cannot be read.
std::vector<std::string> gzip_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::string line;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return lines;
  for (int c = gzgetc(file); c >= 0; c = gzgetc(file)) {
    if (c != '\n') {
      line.push_back(static_cast<char>(c));
    } else {
      lines.push_back(std::move(line));
      line.clear();
    }
  }
  gzclose(file);
  return lines;
}

// The number behind "####", thousands commas deleted.
std::string label_of(const std::string& answer) {
  std::string label;
  for (const char c : answer.substr(answer.rfind("####") + 4)) {
    if (c != ',' && c != ' ') label.push_back(c);
  }
  return label;
}

TEST(Gsm8k, AcceptsEveryReferenceSolutionAndRejectsTheNextAnswer) {
  const auto lines = gzip_lines("../shared/data/gsm8k-test.jsonl.gz");  // beside the project
  if (lines.empty()) GTEST_SKIP() << "the GSM8K test split is not on this machine";
  ASSERT_EQ(lines.size(), 1319u);
  std::vector<std::string> answers;
  for (const auto& line : lines) answers.push_back(Json::parse(line)["answer"]);
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto own = label_of(answers[i]), next = label_of(answers[(i + 1) % answers.size()]);
    EXPECT_EQ(check_gsm8k(answers[i], own).score, 1) << answers[i];
    EXPECT_EQ(check_math("so \\boxed{" + own + "}", own), 1) << own;
    if (own == next) continue;
    EXPECT_EQ(check_gsm8k(answers[i], next).score, 0) << answers[i];
    EXPECT_EQ(check_math("so \\boxed{" + own + "}", next), 0) << own << " " << next;
  }
}

TEST(Gsm8k, ReadsTheLastNumber) {
  EXPECT_EQ(check_gsm8k("1,234,567.", "1234567").score, 1);
  EXPECT_EQ(check_gsm8k("is .5", ".5").score, 1);
  EXPECT_EQ(check_gsm8k("8 -3", "-3").score, 1);
  EXPECT_EQ(check_gsm8k("", "").score, 1);
  EXPECT_EQ(check_gsm8k("YES", "yes").score, 1);
}

TEST(MathEqual, IsReflexiveSymmetricAndReadsRationals) {
  std::mt19937 random(0);
  for (int i = 0; i < 500; ++i) {
    const int a = static_cast<int>(random() % 200) - 100, b = static_cast<int>(random() % 20) + 1;
    const auto slash = std::to_string(a) + "/" + std::to_string(b);
    const auto frac = std::string(a < 0 ? "-" : "") + "\\frac{" + std::to_string(std::abs(a)) + "}{" +
                      std::to_string(b) + "}";
    const auto twice = "\\dfrac{" + std::to_string(2 * a) + "}{" + std::to_string(2 * b) + "}";
    EXPECT_TRUE(math_equal(slash, frac)) << slash;
    EXPECT_TRUE(math_equal(twice, slash)) << slash;
    EXPECT_FALSE(math_equal(slash, std::to_string(a + b) + "/" + std::to_string(b))) << slash;
  }
  EXPECT_TRUE(math_equal("1,000,000", "1000000.0"));
  EXPECT_TRUE(math_equal("$12$", "12\\text{ apples}"));
  EXPECT_TRUE(math_equal("90^\\circ", "90"));
  EXPECT_TRUE(math_equal("0", "-0"));
  EXPECT_FALSE(math_equal("\\text{A}", "\\text{B}"));
  EXPECT_FALSE(math_equal("\\mathrm{e}", ""));
  EXPECT_TRUE(math_equal("0." + std::string(500, '3'), "." + std::string(500, '3') + "0"));
}

TEST(LastBoxed, BalancesBraces) {
  EXPECT_EQ(last_boxed("\\boxed{a{b{c}}d} e}"), "a{b{c}}d");
  EXPECT_EQ(last_boxed("\\boxed{}"), "");
  EXPECT_EQ(last_boxed("\\boxed"), std::nullopt);
  EXPECT_EQ(last_boxed("\\boxed 3 {4}"), std::nullopt);
}

bool holds(const std::string& text, const std::string& name, const Json& args) {
  return satisfies_constraint(text, name, args);
}

TEST(Constraints, FollowTheirDefinitions) {
  EXPECT_TRUE(holds("**a**", "highlights", {{"N", 2}}));
  EXPECT_FALSE(holds("*a\n*", "highlights", {{"N", 1}}));
  EXPECT_FALSE(holds("don't", "keyword_frequency", {{"word", "don't"}, {"N", 1}}));
  EXPECT_TRUE(holds("a b  c\n", "word_count", {{"N", 3}, {"quantifier", "at most"}}));
  EXPECT_TRUE(holds("a b", "word_count", {{"N", 3}, {"quantifier", "around"}}));
  EXPECT_FALSE(holds("AB1 C", "capital_words", {{"N", 2}, {"quantifier", "at least"}}));
  EXPECT_FALSE(holds("straße", "uppercase", Json::object()));
  EXPECT_TRUE(holds("ÄÖ 1", "uppercase", Json::object()));
  EXPECT_FALSE(holds("ÄÖ", "lowercase", Json::object()));
  EXPECT_FALSE(holds("one", "paragraph_first_word", {{"N", 1}, {"i", 2}, {"first_word", "one"}}));
  EXPECT_FALSE(holds("P.S.  ", "postscript", {{"marker", "P.S."}}));
  EXPECT_FALSE(holds("{a: 1}", "json", Json::object()));
  EXPECT_TRUE(holds("\"", "quotation", Json::object()));
}

TEST(Constraints, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "name", [] { holds("x", "keyword", Json::object()); });
  expect_error(ErrorKind::value, "args", [] { holds("x", "bullets", Json::object()); });
  expect_error(ErrorKind::type, "args", [] { holds("x", "bullets", {{"N", "two"}}); });
  expect_error(ErrorKind::value, "args", [] {
    holds("x", "word_count", {{"N", 1}, {"quantifier", "exactly"}});
  });
}

TEST(Tags, LazyPartsMayStretch) {
  EXPECT_EQ(think_answer_format("<think>a</think><answer>b</answer>c</answer>"), 1);
  EXPECT_EQ(think_answer_format("<think>a</think>x<answer>b</answer>"), 0);
  EXPECT_EQ(think_answer_format("<think></think><answer></answer"), 0);
  EXPECT_EQ(think_answer_format("<think></answer>"), 0);
}

TEST(Replies, AreReadAsTheirRulesSay) {
  EXPECT_EQ(parse_ranking_reply("best_description is 2"), 1);
  EXPECT_EQ(parse_ranking_reply("the best description: option None"), 2);
  EXPECT_EQ(parse_ranking_reply("best of 2"), 2);
  EXPECT_EQ(parse_preference_reply("Answer 1"), -1);
  EXPECT_EQ(parse_preference_reply("10"), -1);
  EXPECT_EQ(parse_preference_reply(" `0`.\n \n"), 1);
  EXPECT_EQ(parse_preference_reply(": 1"), 0);
  EXPECT_EQ(parse_score_reply("\"Score\" : \"4\"", 0, 5, "score"), 4);
  expect_error(ErrorKind::empty, "text", [] { parse_score_reply("v2b 1.2.3", 0, 10); });
  EXPECT_EQ(parse_score_reply("somewhere in 7-8", 0, 10), 8);  // a dash, no sign
  EXPECT_EQ(parse_score_reply("9 or (-3)", -5, 10), -3);
  EXPECT_EQ(parse_score_reply("6, é7, _8, 9.", 0, 10), 6);
  EXPECT_TRUE(last_word_guess("Is it an ÉCLAIR?!", {"éclair"}));
  EXPECT_EQ(map_symbols("aa a.a a", {{"a", "b"}, {"a.a", "c"}}), "aa c b");
}

TEST(Arithmetic, HasPythonsPrecedence) {
  EXPECT_EQ(calculate("-2**2"), -4);
  EXPECT_EQ(calculate("2**-1"), 0.5);
  EXPECT_EQ(calculate("8/4/2"), 1);
  EXPECT_EQ(calculate(".5+1."), 1.5);
  for (const char* wrong : {"1/0", "2 3", "()", "1+", "a", "1e5", "0**-1", "9**9**9**9", "(-8)**0.5", "."})
    expect_error(ErrorKind::value, "expression", [&] { calculate(wrong); });
  expect_error(ErrorKind::empty, "expression", [] { calculate(" "); });
  expect_error(ErrorKind::value, "expression", [] { calculate(std::string(100000, '(')); });
  EXPECT_FALSE(is_game24_solution({1, 1, 1, 1}, std::string(100000, '('), 24));
  EXPECT_FALSE(is_game24_solution({24}, "-24", -24));
  EXPECT_TRUE(is_game24_solution({24}, "((24))"));
}

TEST(CalculatorCheck, SaysWhatIsWrong) {
  EXPECT_EQ(calculator_check("", "#### 3").verdict, "both_wrong");
  EXPECT_NE(calculator_check("", "#### 3").observation.find("none"), std::string::npos);
  EXPECT_EQ(calculator_check("<<1/3=>>, <<2*3=6>>6.0000001", "####* 6").verdict, "both_right");
}

// Random text from a small alphabet of what the parsers look for.
std::string odd_text(std::mt19937& random) {
  static const std::vector<std::string> pieces = {
      "\\boxed{", "}",           "{",         "$",       "\\frac",   "1",      "2,345",    ".",      "-",
      "/",        "<answer>",    "</answer>", "<think>", "</think>", "[",      "]",        "'",      "\"",
      "(",        ")",           ",",         "\n",      "```",      "python", "def ",     "Action", " Input",
      ":",        "Work:",       "<<",        "=",       ">>",       "####",   " ",        "*",      "best",
      "_",        "description", "é",         "\xff",    "İ",        "٣",      "\xe2\x80", "\\text{"};
  std::string text;
  for (size_t n = random() % 25; n-- > 0;) text += pieces[random() % pieces.size()];
  return text;
}

TEST(Verifiers, NeverCrashOnOddText) {
  std::mt19937 random(1);
  const Json args = testing::constraint_arguments();
  const auto names = constraint_names();
  const auto quietly = [](const auto& call) {
    try {
      call();
    } catch (const UserError&) {
    }
  };
  for (int i = 0; i < 5000; ++i) {
    const auto a = odd_text(random), b = odd_text(random);
    check_gsm8k(a, b);
    check_math(a, b);
    EXPECT_TRUE(math_equal(a, a)) << a;
    EXPECT_EQ(math_equal(a, b), math_equal(b, a)) << a << " | " << b;
    think_answer_format(a);
    parse_boxes(a);
    parse_point_box(a);
    parse_ranking_reply(a);
    parse_preference_reply(a);
    parse_tool_step(a);
    calculator_check(a, b);
    last_word_guess(a, {b});
    is_game24_solution({1, 2}, a);
    satisfies_constraint(a, names[random() % names.size()], args);
    quietly([&] { parse_score_reply(a, 0, 1); });
    quietly([&] { parse_score_reply(a, 0, 1, "best"); });
    quietly([&] { extract_code(a); });
    quietly([&] { calculate(a); });
  }
}

}  // namespace
}  // namespace plaudit
