// Rule-based verifiers as a judge: each prompt's record says by which rule its answers are checked.
//
// The record's field `verifier` (or `dataset`) names the rule, `ground_truth` is what the rule needs:
//   gsm8k        the last number of the answer is the label (verify.gsm8k)
//   math         a boxed or final answer equals the label (verify.math)
//   exact        the trimmed answer is the label, letter case and a final period ignored
//   constraint   {"name": ..., arguments} or a list of these; the score is the share that is met
//                (verify.constraint)
// The score lies in [0, 1]. A record without a usable rule is an error of its judgements, never a 0.
// Lambert et al., "Tulu 3", 2024, arXiv 2411.15124, section 6.
#pragma once

#include "plaudit/feedback/judge.h"

namespace plaudit {

class VerifierJudge : public Judge {
 public:
  std::string name() const override { return "verifier"; }
  std::vector<Judgement> judge(const std::vector<Answer>& answers) override;
  std::string unusable(const Json& record) const override;
};

}  // namespace plaudit
