// Accuracy of scores on pairs that must be told apart.
//
// UserErrors: empty, shape, nan.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct ContrastConsistency {
  Tensor response_consistency;     // scalar, share with r(I1,R1) > r(I1,R2)
  Tensor instruction_consistency;  // scalar, share with r(I1,R1) > r(I2,R1)
  Tensor joint;                    // scalar, share where both matching scores beat both others
};

// `scores` [B,2,2], scores[b,i,j] = r(instruction i, response j) of two near-alike instructions with
// different right answers; `symmetric` averages over both members of a pair. A tie is inconsistent. Shen et
// al., "The Trickle-down Impact of Reward (In-)consistency on RLHF", 2023, arXiv 2309.16155, section 3.
ContrastConsistency contrast_consistency(const Tensor& scores, bool symmetric = true);

struct ToolPreferenceAccuracy {
  Tensor accuracy;  // scalar, share of right pairs; failures and ties are wrong
  Tensor failed;    // scalar i64, pairs in which a generation failed
};

// Scores [N] of a reward model that generates before it scores; `_ok` [N] zero where the generation failed,
// whatever the score there. Li et al., "Tool-Augmented Reward Modeling", 2023, arXiv 2310.01045.
ToolPreferenceAccuracy tool_preference_accuracy(const Tensor& positive_scores, const Tensor& negative_scores,
                                                const Tensor& positive_ok, const Tensor& negative_ok);

}  // namespace plaudit
