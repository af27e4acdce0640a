// Filters on answers and pairs before training. Errors: empty, shape, nan, value.
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

struct LengthFilter {
  Tensor keep;           // [N] bool
  Tensor kept_fraction;  // scalar
};
// Keeps pairs whose chosen answer is at most `max_ratio` > 0 times as long as the rejected one, lengths [N].
// Zang et al., InternLM-XComposer2.5-Reward, 2025, arXiv 2501.12368.
LengthFilter filter_chosen_length(const Tensor& chosen_length, const Tensor& rejected_length,
                                  double max_ratio = 2);

struct RewardFilter {
  Tensor keep;       // [N] bool
  double threshold;  // the lowest score kept
};
// mode "quantile": drop the floor(value N + 1e-9) lowest (ties: lower index first), value in [0,1);
// "threshold": keep scores >= value; "mad": keep scores >= median - value 1.4826 MAD, value >= 0.
RewardFilter filter_low_reward(const Tensor& scores, const std::string& mode, double value);

// False for answers that are blank, hold <|im_start|> or <|im_end|>, or are longer than 500 characters with a
// run of more than 100 without blank or newline.
std::vector<bool> check_responses(const std::vector<std::string>& responses);

// Indices of pairs that were labelled (label >= 0) and whose images differ by at least `min_distance`; [M]
// i64.
Tensor keep_labelled_pairs(const Tensor& labels, const Tensor& image_distance, double min_distance = 1e-3);

struct MixedPairs {
  Tensor indices;    // [M,2] i64, a right and a wrong answer
  Tensor prompts;    // [M] i64
  Tensor pass_rate;  // [P]
};
// One right (reward > 0) and one wrong answer of every prompt that has both, rewards [P,K]; uniforms [P,2] in
// [0,1) choose among them in index order. Lyu et al., OREAL, 2025, arXiv 2502.06781.
MixedPairs correct_incorrect_pairs(const Tensor& rewards, const Tensor& uniforms);

// Copies of a question by its pass rate in [0,1]: 6, 4, 4, 2 for the fifths below 0.8, none from there on;
// [N] i64.
Tensor difficulty_repeat(const Tensor& pass_rate);

}  // namespace plaudit
