// Putting rewards on a known scale before a policy is trained on them.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Running statistics of a stream of rewards; all scalars on the rewards' device.
struct RunningMoments {
  Tensor mean;
  Tensor var;    // population variance
  Tensor std;    // with count-1 in the denominator; 0 when count is 1
  Tensor count;  // i64
};

// Merges `batch` [N] into the statistics of `count` >= 0 earlier values (Chan et al.'s parallel update). With
// count 0 the given mean and variance do not matter. Errors: empty, shape, nan, value (var or count
// negative).
RunningMoments running_moments(const Tensor& batch, const Tensor& mean, const Tensor& var,
                               const Tensor& count);

struct NormalizeOptions {
  double clip = 0;    // clamp to [-clip, clip]; 0 for none
  bool shift = true;  // subtract the mean
  double eps = 1e-8;  // added to std, >= 0
};

// (r - mean)/(std + eps), or r/(std + eps) without shift. `rewards` [B]; `mean` and `std` >= 0 are scalars.
Tensor normalize_rewards(const Tensor& rewards, const Tensor& mean, const Tensor& std,
                         const NormalizeOptions& options = {});

// (r - mean)/(std + eps) with the population statistics of `rewards` [N] themselves; zeros where all are
// equal. eps > 0.
Tensor standardize_rewards(const Tensor& rewards, double eps = 1e-8);

}  // namespace plaudit
