// Labels of pairs from scores: exact, with a margin, or noisy as a Bradley-Terry annotator gives them.
//
// UserErrors: empty, shape, nan, value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// 1 where score a is larger by more than the margin (>= 0), 0 where b is, -1 (undecided) otherwise; [B] i64.
Tensor pair_labels(const Tensor& scores_a, const Tensor& scores_b, double margin = 0);

struct OrderedPair {
  Tensor positive;  // [M,D]
  Tensor negative;  // [M,D]
};

// The better and the worse of each pair [B,D] by label 1 (a) or 0 (b); undecided rows (-1) are left out, and
// an error of kind empty when none is left.
OrderedPair positive_negative(const Tensor& z_a, const Tensor& z_b, const Tensor& label);

// The sum of the next `foresight` (>= 1) rewards from step start[n] in [0,T), cut at the end of the episode;
// `rewards` [n,T].
Tensor foresight_scores(const Tensor& rewards, const Tensor& start, int64_t foresight = 200);

struct LogisticLabels {
  Tensor delta;        // [N], difference + logit(uniform)/beta
  Tensor label;        // [N] bool, delta > 0
  Tensor probability;  // [N], of label, sigma(beta difference)
};

// Bradley-Terry labels of reward differences from uniform numbers in (0,1); beta > 0.
LogisticLabels logistic_label(const Tensor& difference, const Tensor& uniform, double beta = 1);

}  // namespace plaudit
