#include "plaudit/feedback/lexicon_judge.h"

#include "plaudit/feedback/judges.h"
#include "plaudit/model/resolve.h"

namespace plaudit {

std::vector<Judgement> LexiconJudge::judge(const std::vector<Answer>& answers) {
  std::vector<Judgement> judgements;
  judgements.reserve(answers.size());
  for (const auto& answer : answers) judgements.push_back({lexicon_.score(answer.text).normalised(), ""});
  return judgements;
}

namespace {

std::unique_ptr<Judge> make_lexicon_judge(const JudgeOptions& options) {
  return std::make_unique<LexiconJudge>(
      Lexicon::load(options.lexicon.empty() ? resolve_lexicon() : options.lexicon));
}

const JudgeRegistrar lexicon_registrar(
    {"lexicon", "summed grades of the words of the answer, in (-1, 1)", {"lexicon"}, &make_lexicon_judge});

}  // namespace
}  // namespace plaudit
