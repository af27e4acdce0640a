// A judge that counts kind and unkind words: cheap, exact, and easy to game, which is what makes it a good
// subject for showing over-optimisation.
#pragma once

#include "plaudit/feedback/judge.h"
#include "plaudit/feedback/lexicon.h"

namespace plaudit {

// The score of an answer is LexiconScore::normalised() of its text, in (-1, 1); 0 for an answer without
// graded words. The prompt plays no part.
class LexiconJudge : public Judge {
 public:
  explicit LexiconJudge(Lexicon lexicon) : lexicon_(std::move(lexicon)) {}

  std::string name() const override { return "lexicon"; }
  std::vector<Judgement> judge(const std::vector<Answer>& answers) override;

 private:
  Lexicon lexicon_;
};

}  // namespace plaudit
