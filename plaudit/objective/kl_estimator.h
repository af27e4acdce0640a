// Estimators of a KL divergence from log-ratios at sampled tokens.
//
// With d = log pi - log pi_ref at samples of pi:
//   k1 = d               unbiased, high variance, may be negative
//   k2 = d^2/2           biased, low variance, never negative
//   k3 = exp(-d) - 1 + d unbiased, never negative
// Schulman, "Approximating KL Divergence", 2020.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

// The names of the estimators: "k1", "k2", "k3".
const std::vector<std::string>& kl_estimators();

// The estimate at each log-ratio, elementwise; 0 at d = 0. The exponent of k3 is limited to `exponent_limit`,
// so that a token which the reference finds impossible does not overflow a loss.
Tensor kl_terms(const Tensor& log_ratio, const std::string& estimator,
                double exponent_limit = std::numeric_limits<double>::infinity());

// The limit on exponents of log-ratios in policy-gradient losses: exp(20) is 5e8.
inline constexpr double max_log_ratio = 20;

}  // namespace plaudit
