// Which formalisms can state which objectives: the table, preorders, and the certificates of "cannot".
//
// Subramani et al., "On The Expressivity of Objective-Specification Formalisms in RL", 2024, arXiv
// 2310.11840. UserErrors: empty, shape, nan, value.
#pragma once

#include <string>
#include <vector>

#include "plaudit/env/tabular.h"

namespace plaudit {

struct ExpressivityTable {
  std::vector<std::string> names;  // 17 formalisms
  Tensor at_least;                 // [17,17] i64, 1 where the row is at least as expressive as the column
};
ExpressivityTable expressivity_table();

// The class of each member of a preorder at_least [N,N], numbered by first appearance, [N] i64; members that
// are at least each other share a class. Not reflexive or not transitive is kind value.
Tensor preorder_classes(const Tensor& at_least);

// covers[c,d] = 1 where class c lies strictly above class d with none between, [C,C] i64 over
// preorder_classes.
Tensor transitive_reduction(const Tensor& at_least);

// The values (g0(p_i), g1(q_j)) of a regularised policy enter its return in the two-state world with
// p = P(s0 -> s1), q = P(s1 -> s0) linearly: rows (i,j), columns g0(p_1)...g0(p_n), g1(q_1)...g1(q_m). [nm,
// n+m].
Tensor two_state_regularised_matrix(const Tensor& p, const Tensor& q, double gamma);

// values (J1, J2, J3) of two lotteries and a mixture of them with 0 < weight < 1: true when J3 lies strictly
// between the others, or all tie.
bool mixture_consistent(const Tensor& values, double weight, double tol = 1e-9);

// values [2,2] on (p,q) in {0,1}^2: true when the preference between two p does not depend on q, nor that
// between two q on p.
bool separable_consistent(const Tensor& values, double tol = 1e-9);

struct LevelPair {
  Tensor policy_a;  // [3], uniform
  Tensor policy_b;  // [3], with the same expected reward
};

// Two policies of a three-armed bandit that every function of the expected reward must tie: uniform + step
// d/max|d| with d = (r2-r3, r3-r1, r1-r2), or (1,-1,0) for equal rewards; 0 < step <= 1/3.
LevelPair level_pair(const Tensor& rewards, double step = 0.1);

}  // namespace plaudit
