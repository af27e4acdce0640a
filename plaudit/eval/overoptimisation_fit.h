// The law of overoptimisation: how gold reward falls behind as the policy moves from its start.
//
// Gao, Schulman, Hilton, "Scaling Laws for Reward Model Overoptimization", 2022, arXiv 2210.10760, eq. 1.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct OveroptimisationFit {
  Tensor alpha;      // scalar
  Tensor beta;       // scalar
  Tensor predicted;  // the law at the points with kl > 0, in their order
};

// Least squares of gold = d (alpha - beta d), kind "best_of_n", or d (alpha - beta log d), kind "rl", with
// d = sqrt(kl), over the points [K] with kl > 0; gold is relative to the start. UserErrors: fewer than two
// such points (empty), shape, nan, negative kl or an unknown kind (value).
OveroptimisationFit overoptimisation_fit(const Tensor& kl, const Tensor& gold,
                                         const std::string& kind = "best_of_n");

}  // namespace plaudit
