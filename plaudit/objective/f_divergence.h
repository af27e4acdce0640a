// Scores of a log-ratio under other divergences than the reverse KL, for f-DPO.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// u(rho) of the log-ratio rho = log(pi/pi_ref), any shape, for DPO with h = u(chosen) - u(rejected):
//   reverse_kl  rho                      (ordinary DPO)
//   forward_kl  -exp(-rho)
//   js          log sigma(rho)
//   alpha       exp((alpha-1) rho)/(alpha-1), rho when alpha is 1
// Exponentials stop at e^-10 of the largest number of the type, where their gradient is 0, so that h is
// finite. Constants that cancel in h are left out. Wang et al., "Beyond Reverse KL", 2023, arXiv 2309.16240,
// table 1.
Tensor f_divergence_score(const Tensor& log_ratio, const std::string& kind, double alpha = 0.5);

}  // namespace plaudit
