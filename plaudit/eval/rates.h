// Rates and shares: success of episodes, accuracy per group, nearest neighbours. Errors: empty, shape, nan,
// value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct SuccessRate {
  Tensor rate;                // scalar
  Tensor first_success_step;  // [E] i64, the number of valid steps where there is no success
};
// Episodes with a success at some valid step: success, mask [E,T].
SuccessRate success_rate(const Tensor& success, const Tensor& mask);

struct Neighbours {
  Tensor indices;  // [min(k, N)] i64, most similar first, ties by index
  Tensor scores;   // their cosines
};
// The keys [N,D] most similar to query [D]; k >= 1; a vector of length 0 is an error of kind value.
Neighbours top_k_cosine(const Tensor& query, const Tensor& keys, int64_t k = 3);

struct GroupedAccuracy {
  Tensor group;    // [groups], NaN for an empty group
  Tensor overall;  // scalar
  Tensor macro;    // scalar, mean of the groups that are not empty
};
// correct [N] of items in group [N] i64 in [0, groups).
GroupedAccuracy grouped_accuracy(const Tensor& correct, const Tensor& group, int64_t groups);

struct StyleMatrix {
  Tensor average;  // scalar, mean of the next three
  Tensor easy;     // scalar, mean of the lower triangle
  Tensor hard;     // scalar, mean of the upper triangle
  Tensor matrix;   // [3,3] share with chosen style i > rejected style j, ties wrong
  Tensor normal;   // scalar, mean of the diagonal
};
// chosen_scores, rejected_scores [N,3] in the styles concise, detailed, detailed with markdown. Liu et al.,
// RM-Bench, 2024, arXiv 2410.16184.
StyleMatrix style_matrix(const Tensor& chosen_scores, const Tensor& rejected_scores);

struct LabelCoverage {
  Tensor accuracy;  // scalar, of the decided labels
  Tensor coverage;  // scalar, share of labels that are decided
};
// labels [P] in {1, 0, -1 undecided} against truth [P]; none decided is an error of kind empty.
LabelCoverage preference_label_accuracy(const Tensor& labels, const Tensor& truth);

}  // namespace plaudit
