// How far apart two rewards of the same answers are: STARC where a prompt is a state, an answer an action and
// the episode is over.
//
// There a reward orders policies like another one when they differ by a positive factor and by a number for
// each prompt (shaping). Skalse et al., "STARC", 2024, arXiv 2309.15257, with the uniform policy over the
// answers that are there. B answers, `group` [B] says to which prompt each belongs; prompts count alike,
// however many answers they have. UserErrors: empty, shape, nan, type (group), value (order).
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// rewards less the mean over the prompt's answers, [B].
Tensor canonicalise_answers(const Tensor& rewards, const Tensor& group);

// 1/(answers of the prompt x prompts), [B]: sums to 1.
Tensor answer_weights(const Tensor& group);

// |s(a) - s(b)| with the norm (sum w |x|^p)^(1/p), max |x| for infinite p, s(x) = x/|x| unless the norm is at
// most 1e-12. `canonical_a`, `canonical_b` and `weights` >= 0 of one shape; order 1, 2 or infinity.
Tensor weighted_distance(const Tensor& canonical_a, const Tensor& canonical_b, const Tensor& weights,
                         double order = 2);

// weighted_distance of the canonical rewards: in [0,2], 0 iff both order all policies alike.
Tensor answer_distance(const Tensor& rewards_a, const Tensor& rewards_b, const Tensor& group,
                       double order = 2);

struct AnswerRegret {
  Tensor worst_case;  // scalar, in [0,1]: the most that a policy loses of the true reward, over its range,
                      // while it gains or keeps the learned one
  Tensor best;        // scalar: what is lost by giving the answer that the learned reward likes best
};
// Where the true reward has no range both are 0, else where the learned one has none worst_case is 1. Of
// several best answers the first is given.
AnswerRegret answer_regret(const Tensor& rewards_true, const Tensor& rewards_learned, const Tensor& group);

}  // namespace plaudit
