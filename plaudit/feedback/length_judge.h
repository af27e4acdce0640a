// A baseline that knows nothing of meaning: how far an answer is from a wanted length.
#pragma once

#include "plaudit/feedback/judge.h"

namespace plaudit {

// The score is -|words - target|, words being what white space separates; 0 is best.
class LengthJudge : public Judge {
 public:
  explicit LengthJudge(int64_t target) : target_(target) {}

  std::string name() const override { return "length"; }
  std::vector<Judgement> judge(const std::vector<Answer>& answers) override;

 private:
  int64_t target_;
};

}  // namespace plaudit
