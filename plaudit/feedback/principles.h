// Preferences judged one principle at a time, and the principles that a reward prompt lists.
//
// Sun et al., "SALMON: Self-Alignment with Instructable Reward Models", 2023, arXiv 2310.05910. D principles,
// B pairs of outputs 1 and 2. UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

// A judge's next-token logits of the answers "(a)" and "(b)", each [B]: `_12` with (a) = output 1 and (b) =
// output 2, `_21` with the two exchanged.
struct JudgeLogits {
  Tensor a_12, b_12;
  Tensor a_21, b_21;
};

struct JudgeScore {
  Tensor score_12;    // [B], a - b in the first order: > 0 prefers output 1
  Tensor score_21;    // [B], b - a in the second order: > 0 prefers output 1
  Tensor score;       // [B], their mean where both orders agree, else 0
  Tensor preference;  // [B] i64: 1, 2, or 0 where the orders disagree or one does not decide
};
JudgeScore pairwise_judge_score(const JudgeLogits& logits);

struct DominantPrinciple {
  Tensor label;     // [B] i64: 1 output 1 preferred, 0 output 2, -1 skip
  Tensor index;     // [B] i64, the principle that decided, ties to the lower index; -1 skip
  Tensor adjusted;  // [B,D], score/variance, sign turned where negated; 0 where not selected
};

// The selected principle of the largest |adjusted score| decides. `scores_12`, `scores_21` [B,D] as in
// JudgeScore (0 where the orders disagree), `variance` [D] > 0, `selected` and `negated` [B,D] nonzero for
// yes. A row without a selected principle is an error of kind empty.
DominantPrinciple dominant_principle(const Tensor& scores_12, const Tensor& scores_21, const Tensor& variance,
                                     const Tensor& selected, const Tensor& negated);

// Draws without replacement in proportion to `weights` [D] >= 0, raised by boost_amount times `boost` [D]
// (ones mark the principles to force in): draw i takes the first remaining index whose cumulative weight
// exceeds uniforms[i] in [0,1) times the remaining total. [k] i64.
Tensor sample_principles(const Tensor& weights, const Tensor& uniforms,
                         const std::optional<Tensor>& boost = std::nullopt, double boost_amount = 128);

// How many principles to use: geometric with success probability p in (0,1), conditioned on 1..maximum, by
// inversion of `uniform` in [0,1).
int64_t truncated_geometric(double uniform, double p = 0.2, int64_t maximum = 8);

// The lines of a reward prompt: "- definition" each, the negative definition where negated; no newline at the
// end.
std::string principle_lines(const std::vector<std::string>& definitions,
                            const std::vector<std::string>& negative_definitions,
                            const std::vector<bool>& negated);

}  // namespace plaudit
