// Correlations of two series: linear, by rank, by order of pairs.
//
// `x`, `y` [N] with N >= 2 (kind value); NaN where a side is constant (variance <= 1e-24). UserErrors
// besides: empty, shape, nan.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

Tensor pearson(const Tensor& x, const Tensor& y);

// Pearson on ranks; ties share their average rank.
Tensor spearman(const Tensor& x, const Tensor& y);

// Kendall's tau-b, (concordant - discordant)/sqrt((pairs untied in x)(pairs untied in y)), in O(N log N).
Tensor kendall_tau(const Tensor& x, const Tensor& y);

// Ranks from 1, ties share their average, of every row of x [..., N].
Tensor average_ranks(const Tensor& x);

struct BenchmarkCorrelation {
  Tensor pearson, r_squared, spearman, kendall;  // scalars
};
// How well benchmark scores [M] of M >= 2 reward models predict the outcomes [M] of optimising them.
BenchmarkCorrelation benchmark_correlation(const Tensor& benchmark, const Tensor& outcome);

struct SeriesDistance {
  Tensor distance;     // scalar, sqrt((1 - correlation)/2)
  Tensor correlation;  // scalar
};
// The Pearson distance of two series; a constant side is refused (kind value). reward_distance.h has the one
// of rewards.
SeriesDistance series_distance(const Tensor& x, const Tensor& y);

// Correlation over all elements under weights >= 0 (undefined: equal weights); `constant_x` and `constant_y`
// say which variance is at most 1e-24, where rho is NaN.
struct WeightedCorrelation {
  double rho;
  bool constant_x, constant_y;
};
WeightedCorrelation weighted_correlation(const Tensor& x, const Tensor& y, const Tensor& weights);

}  // namespace plaudit
