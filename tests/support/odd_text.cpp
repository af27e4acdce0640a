#include "tests/support/odd_text.h"

#include <gtest/gtest.h>

#include <chrono>

#include "plaudit/core/errors.h"

namespace plaudit::testing {
namespace {

template <class T>
const T& one_of(Rng& random, const std::vector<T>& all) {
  return all[static_cast<size_t>(random.below(static_cast<int64_t>(all.size())))];
}

const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all = {"0",
                                               "7",
                                               "-3",
                                               "+5",
                                               "42",
                                               "1,234,567",
                                               "3.50",
                                               ".5",
                                               "5.",
                                               "1e308",
                                               "1e-400",
                                               "999999999999999999999999999999",
                                               "1/2",
                                               "4/0",
                                               "NaN",
                                               "nan",
                                               "inf",
                                               "-Infinity",
                                               "0x1F",
                                               "1e",
                                               "--1",
                                               "1..2",
                                               "\xC2\xBD",
                                               "\xD9\xA3",
                                               "\\boxed{",
                                               "\\fbox{",
                                               "\\frac{1}{2}",
                                               "\\frac12",
                                               "\\frac{",
                                               "\\dfrac",
                                               "\\sqrt2",
                                               "\\sqrt{",
                                               "\\text{ cm}",
                                               "\\mathrm{i}",
                                               "\\left(",
                                               "\\right)",
                                               "^{2}",
                                               "_1",
                                               "\\",
                                               "\\\\",
                                               "{",
                                               "}",
                                               "}}",
                                               "{{{",
                                               "(",
                                               ")",
                                               "[",
                                               "]",
                                               "$",
                                               "$$",
                                               "\\$",
                                               "\\%",
                                               "^\\circ",
                                               "Final Answer: The final answer is ",
                                               ". I hope it is correct.",
                                               "The answer is ",
                                               "#### ",
                                               "<think>",
                                               "</think>",
                                               "<answer>",
                                               "</answer>",
                                               "<answer",
                                               "{'Position': [1, 2, 3, 4], 'Confidence': 0.5}",
                                               "[{'Position': [",
                                               "'Confidence': ",
                                               "(1,2),(3,4)",
                                               "(10,",
                                               "{\"score\": 5}",
                                               "{\"score\": ",
                                               "\"best_description\": 1",
                                               "\"best\": 2",
                                               "```python\n",
                                               "```",
                                               "Thought: ",
                                               "Action: Calculator",
                                               "Action Input: ",
                                               "Observation: ",
                                               "yes",
                                               "No",
                                               "1",
                                               "2",
                                               "A",
                                               "B",
                                               "unsure",
                                               " ",
                                               "\n",
                                               "\t",
                                               "\r\n",
                                               "\xC2\xA0",
                                               "\xE2\x80\x8B",
                                               "\xEF\xBB\xBF",
                                               "\xC3\xA9",
                                               "e\xCC\x81",
                                               "\xE4\xBD\xA0\xE5\xA5\xBD",
                                               "\xF0\x9F\x98\x80",
                                               "\xD7\xA9",
                                               "\xFF",
                                               "\xC3",
                                               "\xED\xA0\x80",
                                               std::string("\0", 1),
                                               "\x7F",
                                               "*",
                                               "+",
                                               "-",
                                               "/",
                                               "**",
                                               "%",
                                               "=",
                                               "x=",
                                               ",",
                                               ", ",
                                               ".",
                                               "'",
                                               "\"",
                                               "a",
                                               "word",
                                               "Paris",
                                               "P.S."};
  return all;
}

}  // namespace

std::string odd_text(Rng& random) {
  std::string text;
  for (int64_t n = random.below(24); n > 0; --n) text += one_of(random, pieces());
  if (random.below(200) == 0) {
    const auto& piece = one_of(random, pieces());
    const auto at = static_cast<size_t>(random.below(static_cast<int64_t>(text.size()) + 1));
    std::string many;
    for (int i = 0; i < 10'000; ++i) many += piece;
    text.insert(at, many);
  }
  return text;
}

std::string mutated(Rng& random, std::string text, const std::vector<std::string>& words) {
  const auto place = [&] { return static_cast<size_t>(random.below(static_cast<int64_t>(text.size()) + 1)); };
  const auto span = [&](size_t at) {
    return std::min(static_cast<size_t>(1 + random.below(random.below(4) == 0 ? 80 : 8)), text.size() - at);
  };
  for (int64_t edits = 1 + random.below(4); edits > 0; --edits) {
    const size_t at = place(), length = span(at);
    switch (random.below(7)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(at, length));
        break;
      case 2:
        text.insert(place(), text.substr(at, length));
        break;
      case 3:
        text.resize(random.below(4) == 0 ? at : text.size());
        break;
      case 4: {
        const size_t digit = text.find_first_of("0123456789", at);
        if (digit != std::string::npos)
          text.replace(digit, 1,
                       one_of(random, std::vector<std::string>{"-1", "0", "1e999", "99999999999999999999",
                                                               "nan", "2.5"}));
        break;
      }
      case 5:
        if (at < text.size()) text[at] = static_cast<char>(random.below(256));
        break;
      default:
        text.insert(at, one_of(random, words));
    }
  }
  return text;
}

bool ends(const std::function<void()>& work, const std::string& what) {
  const auto start = std::chrono::steady_clock::now();
  bool fine = true;
  try {
    work();
  } catch (const UserError& error) {
    fine = false;
    EXPECT_NE(std::string(error.what()), "") << what.substr(0, 2000);
  } catch (const std::exception& error) {
    fine = false;
    ADD_FAILURE() << "not a UserError: " << error.what() << "\n" << what.substr(0, 2000);
  }
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 1)
      << what.substr(0, 2000);
  return fine;
}

nlohmann::ordered_json constraint_arguments() {
  return {{"N", 2},
          {"i", 1},
          {"keyword_list", {"a"}},
          {"word", "a"},
          {"forbidden_words", {"b"}},
          {"letter", "a"},
          {"quantifier", "around"},
          {"first_word", "x"},
          {"marker", "P.S."},
          {"options", {"yes"}},
          {"prompt", "word"},
          {"phrase", "x"}};
}

}  // namespace plaudit::testing
