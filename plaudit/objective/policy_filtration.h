// Policy filtration: train only on the answers whose reward carries information.
//
// Of the answers to one prompt (a group, see groups.h) the best and the worst are most surely told apart by a
// noisy reward. Shen, Zhang et al., 2024, arXiv 2409.06957, section 4. Ties: best is the lowest index among
// the maxima of a group, worst the highest index among its minima, so they differ in every group of two or
// more. UserErrors: empty, shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// A weight for each answer, [N], to resample by: method "all" 1; "best" and "best_worst" 1 for those, else 0;
// "best_random" 1 for the best and 1/(n-1) for the others of a group of n; "power" |reward|^power.
Tensor policy_filtration_weights(const Tensor& rewards, const Tensor& group,
                                 const std::string& method = "all", double power = 2);

// The answers to keep, indices [K] i64: groups by ascending id; of each the best, then the worst if it is
// another
// ("best_worst"), or the other at floor(u (n-1)) of the remaining in index order ("best_random"; nothing more
// in a group of one); "best" the best alone; "all" every member. `uniforms` [G] in [0,1), one for each group.
Tensor policy_filtration_pick(const Tensor& rewards, const Tensor& group, const Tensor& uniforms,
                              const std::string& method);

}  // namespace plaudit
