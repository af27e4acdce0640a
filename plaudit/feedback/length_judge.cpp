#include "plaudit/feedback/length_judge.h"

#include <cstdlib>
#include <sstream>

#include "plaudit/feedback/judges.h"

namespace plaudit {

std::vector<Judgement> LengthJudge::judge(const std::vector<Answer>& answers) {
  std::vector<Judgement> judgements;
  for (const auto& answer : answers) {
    std::istringstream text(answer.text);
    std::string word;
    int64_t words = 0;
    while (text >> word) ++words;
    judgements.push_back({-static_cast<double>(std::abs(words - target_)), ""});
  }
  return judgements;
}

namespace {

constexpr int64_t default_words = 30;

const JudgeRegistrar length_registrar({"length",
                                       "minus the distance from a wanted number of words (default 30)",
                                       {"words"},
                                       [](const JudgeOptions& options) -> std::unique_ptr<Judge> {
                                         return std::make_unique<LengthJudge>(
                                             options.words.value_or(default_words));
                                       }});

}  // namespace
}  // namespace plaudit
