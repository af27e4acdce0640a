// How far labels, and the groups behind them, agree with the truth.
//
// UserErrors: empty, unequal sizes (shape), NaN (nan), a probability or group out of range (value).
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Share of pairs [P] whose label and truth fall on the same side of 1/2; exactly 1/2 counts as "not
// preferred".
Tensor label_accuracy(const Tensor& labels, const Tensor& truth);

struct PreferenceTv {
  Tensor tv;        // scalar, mean of per_pair
  Tensor per_pair;  // [N], |prob_a - prob_b|
};

// Total variation between two annotators' preference probabilities [N], in [0,1]. Chakraborty et al.,
// "MaxMin-RLHF", 2024, arXiv 2402.08925, definition of diversity.
PreferenceTv preference_tv(const Tensor& prob_a, const Tensor& prob_b);

// Share of users [U] in the right group under the best one-to-one renaming of the groups; `assignment` and
// `truth` hold integers >= 0.
double cluster_accuracy(const Tensor& assignment, const Tensor& truth);

}  // namespace plaudit
