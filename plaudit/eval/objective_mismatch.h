// Do the numbers of a training run still move together? Series over checkpoints, their correlations, and
// where optimising the proxy begins to cost the target.
//
// Source: Lambert and Calandra, "The Alignment Ceiling: Objective Mismatch in Reinforcement Learning from
// Human Feedback", 2023, arXiv 2311.00168, made a diagnostic. Correlations are NaN where undefined: a
// constant series or fewer than 3 points. UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// Correlations [M,M] of the columns of `metrics` [N,M], each pair over the rows where both are valid in
// `mask` [N,M] (default: all); method pearson, spearman or kendall. Values under the mask may be NaN.
Tensor correlation_matrix(const Tensor& metrics, const std::optional<Tensor>& mask = std::nullopt,
                          const std::string& method = "pearson");

struct MismatchOptions {
  int64_t window = 3;   // checkpoints of the trailing mean that smooths both series, >= 1
  double min_drop = 0;  // of the target, that counts as one
};
struct MismatchReport {
  int64_t peak_index;         // first maximum of the smoothed target
  double correlation_before;  // smoothed proxy and target over 0..peak
  double correlation_after;   // over peak..N-1
  double gold_drop;           // smoothed, from the peak to the last checkpoint
  double proxy_rise;          // likewise
  bool mismatch;  // the proxy rises by more than 1e-12 and gold drops by more than min_drop + 1e-12
};
// Of a proxy and a target, [N].
MismatchReport mismatch_report(const Tensor& proxy, const Tensor& gold, const MismatchOptions& options = {});

// Correlations [2 max_lag + 1] of x[t] with y[t + lag], lag from -max_lag to max_lag: at a positive lag x
// leads. 0 <= max_lag < N.
Tensor lead_lag(const Tensor& x, const Tensor& y, int64_t max_lag);

struct BootstrapCorrelation {
  Tensor samples;    // [R]
  Tensor low, high;  // scalars, quantiles (1 -+ level)/2 of the samples that are not NaN; NaN without any
};
// Pearson of x and y [N] at the resampled `indices` [R,N]; level in (0,1).
BootstrapCorrelation bootstrap_correlation(const Tensor& x, const Tensor& y, const Tensor& indices,
                                           double level = 0.95);

}  // namespace plaudit
