// Where a finite Markov chain ends up: closed classes, their stationary laws, and how likely each is.
//
// Entries of at most 1e-12 are absent edges: p = 1e-6 reaches a state in the end, p = 0 never does.
#pragma once

#include <vector>

#include "plaudit/env/tabular.h"

namespace plaudit {

struct ClosedClass {
  std::vector<int64_t> states;  // ascending
  double probability;           // of ending here
};

// The closed classes of `chain` [n,n] (rows are distributions, f64 on the processor) that `initial` [n]
// reaches.
std::vector<ClosedClass> closed_classes(const Tensor& chain, const Tensor& initial);

// The stationary law of a closed class, one number per state of it.
Tensor stationary_law(const Tensor& chain, const ClosedClass& closed);

// lim (1/N) E[sum_{t<N} r_t] of a stationary policy in a finite MDP (tabular.h), a scalar.
Tensor limit_average_reward(const Tensor& transition, const Tensor& reward, const Tensor& policy,
                            const Tensor& initial);

}  // namespace plaudit
