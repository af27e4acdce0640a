// Bootstrap intervals: how sure a mean is, given the examples at hand.
#pragma once

#include <cstdint>
#include <vector>

#include "plaudit/core/rng.h"

namespace plaudit::eval {

struct Interval {
  double value = 0;  // the estimate on all examples
  double low = 0;    // bounds of the interval
  double high = 0;
  int64_t n = 0;  // examples
};

// Mean of `values` with its percentile-bootstrap interval (Efron 1979). UserError (empty) without values,
// (nan) for NaN.
Interval bootstrap_mean(const std::vector<double>& values, Rng rng, double level = 0.95,
                        int64_t draws = 2000);

// Mean of a[i] - b[i]: the same examples judged twice, so their common part cancels.
Interval bootstrap_difference(const std::vector<double>& a, const std::vector<double>& b, Rng rng,
                              double level = 0.95, int64_t draws = 2000);

// Share of examples where a[i] > b[i]; a tie counts one half.
Interval win_rate(const std::vector<double>& a, const std::vector<double>& b, Rng rng, double level = 0.95,
                  int64_t draws = 2000);

}  // namespace plaudit::eval
