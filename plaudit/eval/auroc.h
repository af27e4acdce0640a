// Ranking quality of scores, and scores of prefixes.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Probability that a positive scores higher than a negative (Mann-Whitney), a tie counts one half. `scores`
// [N], `labels` [N] in {0, 1}. UserErrors: empty, shape, NaN (nan), another label or only one class (value).
Tensor auroc(const Tensor& scores, const Tensor& labels);

// The score of each row after a share of its length: entry max(floor(length percentile) - 1, 0) of `partial`
// [N,T], `lengths` [N] in [1,T], percentile in [0,1]. Nath et al., 2024, arXiv 2407.13887. UserErrors: empty,
// shape, nan, value.
Tensor prefix_scores(const Tensor& partial, const Tensor& lengths, double percentile);

}  // namespace plaudit
