// Certificates against objective formalisms: invariants that some formalisms can never break.
//
// Source: Subramani et al., "On the Expressivity of Objective-Specification Formalisms in Reinforcement
// Learning", ICLR 2024, arXiv 2310.11840.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Can `values` [3] = (J1, J2, J of the lottery that mixes them) belong to an objective that is linear in the
// trajectory lottery? The third lies strictly between the others, or all three tie, within tol >= 0; `weight`
// of the mixture in (0,1).
bool mixture_consistent(const Tensor& values, double weight, double tol = 1e-9);

// Can `values` [2,2] = J(p_i, q_j) be u(p) + v(q)? The preference between the rows agrees in both columns and
// that between the columns in both rows; differences within tol >= 0 are ties.
bool separable_consistent(const Tensor& values, double tol = 1e-9);

struct LevelPair {
  Tensor policy_a;  // [3] uniform
  Tensor policy_b;  // [3] uniform + step d/max|d|, d = (r2-r3, r3-r1, r1-r2); (1,-1,0) for constant rewards
};
// Two policies of a three-armed bandit with equal expected reward, `rewards` [3]; step in (0, 1/3].
LevelPair level_pair(const Tensor& rewards, double step = 0.1);

}  // namespace plaudit
