// The policy that does best for the worst-off group, exactly.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct MaxminPolicy {
  Tensor policy;   // [A]
  Tensor weight;   // [G], the minimising mixture of groups
  Tensor utility;  // [G], policy . rewards_g
  Tensor value;    // scalar, the optimum
};

// max_pi min_g pi . r_g - beta KL(pi || reference) = min over mixtures q of beta log sum_a reference_a
// exp(sum_g q_g r_g(a)/beta); groups with q_g > 0 tie in utility, the others have at least as much. `rewards`
// [G,A], `reference` [A] a distribution, beta > 0. Chakraborty et al., "MaxMin-RLHF", 2024, arXiv 2402.08925.
// UserErrors: empty, shape, nan, value.
MaxminPolicy maxmin_policy(const Tensor& rewards, const Tensor& reference, double beta = 0.1);

}  // namespace plaudit
