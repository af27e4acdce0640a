// An MDP beside a finite machine that reads its transitions: reward machines and omega-regular goals.
//
// Subramani et al., "On The Expressivity of Objective-Specification Formalisms in RL", 2024, arXiv
// 2310.11840. The machine has U states and moves by machine_transition [U,S,A,S] (i64 in [0,U)) on every
// transition of the MDP (tabular.h). Only product states that the policy reaches are built.
#pragma once

#include "plaudit/env/tabular.h"

namespace plaudit {

struct Machine {
  Tensor transition;  // [U,S,A,S] i64
  int64_t start = 0;  // in [0,U)
};

// E[sum gamma^t R_{u_t}(s_t,a_t,s_{t+1})]: leaving u by (s,a,s') pays machine_reward [U,S,A,S].
Tensor reward_machine_return(const Tensor& transition, const Tensor& policy, const Tensor& initial,
                             const Machine& machine, const Tensor& machine_reward, double gamma);

// The probability that a Rabin automaton accepts: for some pair k no state of rabin_fin [K,U] and at least
// one of rabin_inf [K,U] recurs (nonzero marks a state).
Tensor omega_regular_probability(const Tensor& transition, const Tensor& policy, const Tensor& initial,
                                 const Machine& automaton, const Tensor& rabin_fin, const Tensor& rabin_inf);

}  // namespace plaudit
