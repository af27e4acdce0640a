// Best of n against a reward that is right or wrong.
#pragma once

#include <cstdint>

namespace plaudit {

struct BestOfNBinary {
  double bon_pass_rate;  // 1 - (1-p)^n
  double inverse_beta;   // of the KL-regularised policy with that pass rate: logit(bon) - logit(p)
};

// For a policy that is right with probability pass_rate in (0,1), n >= 1 (kind value); exact for p = 1e-6 and
// for a pass rate that rounds to 1. Lyu et al., "OREAL", 2025, arXiv 2502.06781.
BestOfNBinary best_of_n_binary(double pass_rate, int64_t n);

}  // namespace plaudit
