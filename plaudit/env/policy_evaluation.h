// Exact values, returns and occupancies of a policy in a finite MDP (tabular.h), by one linear solve.
#pragma once

#include "plaudit/env/tabular.h"

namespace plaudit {

// E_{s'~transition}[reward], [S,A].
Tensor expected_reward(const Tensor& transition, const Tensor& reward);

struct PolicyValues {
  Tensor values;      // [S], solves (I - gamma P) V = r
  Tensor q;           // [S,A]
  Tensor advantages;  // [S,A], q - values
};
PolicyValues policy_evaluation(const Tensor& transition, const Tensor& reward, const Tensor& policy,
                               double gamma);

// initial . V, a scalar.
Tensor policy_return(const Tensor& transition, const Tensor& reward, const Tensor& policy,
                     const Tensor& initial, double gamma);

struct Occupancy {
  Tensor state;                 // [S], (I - gamma P^T)^-1 initial
  Tensor state_action;          // [S,A]
  Tensor transition_occupancy;  // [S,A,S]
};
// Expected discounted visits; times 1 - gamma, so that they sum to 1, when `normalised`.
Occupancy occupancy_measure(const Tensor& transition, const Tensor& policy, const Tensor& initial,
                            double gamma, bool normalised = false);

// The returns of K rewards [K,S,A,S] under one policy, [K].
Tensor multi_objective_return(const Tensor& transition, const Tensor& rewards, const Tensor& policy,
                              const Tensor& initial, double gamma);

// E[sum gamma^t (r_t - alpha F(policy(.|s_t)))], F by `regulariser`: negative_entropy sum p log p, kl_uniform
// (that
// + log A), tsallis -(1 - sum p^2)/2.
Tensor regularised_return(const Tensor& transition, const Tensor& reward, const Tensor& policy,
                          const Tensor& initial, double gamma, double alpha, const std::string& regulariser);

}  // namespace plaudit
