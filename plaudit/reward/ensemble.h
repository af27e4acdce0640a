// Several reward models as one, conservatively.
//
// Coste et al., "Reward Model Ensembles Help Mitigate Overoptimization", 2023, arXiv 2310.02743, section 4.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct EnsembleOptions {
  std::string mode = "mean";  // "mean", "worst" (the least member) or "uncertainty" (mean - weight variance)
  double weight = 0.5;        // of the variance, in 1/reward, >= 0
  bool unbiased = false;      // variance over M-1 members; needs M >= 2
};

struct EnsembleReward {
  Tensor rewards;   // [B]
  Tensor variance;  // [B], of the members
};

// `rewards` [M,B] of M members. UserErrors: empty, shape, nan, value.
EnsembleReward ensemble_aggregate(const Tensor& rewards, const EnsembleOptions& options = {});

}  // namespace plaudit
