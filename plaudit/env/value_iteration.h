// Optimal values of a finite MDP (tabular.h), greedy or softened by an entropy.
#pragma once

#include <optional>

#include "plaudit/env/tabular.h"

namespace plaudit {

struct OptimalValues {
  Tensor values;  // [S]
  Tensor q;       // [S,A]
  Tensor policy;  // [S,A]
};

struct ValueIterationOptions {
  double tol = 1e-10;               // the values are this exact, and to 1e-9 whatever it says; > 0
  int64_t max_iterations = 100000;  // improvements at most, though never fewer than 10000; >= 1
};

// Optimal values by policy iteration: evaluate by a linear solve, improve where an action gains. `policy` is
// one-hot on the lowest index within 1e-9 of the best action.
OptimalValues value_iteration(const Tensor& transition, const Tensor& reward, double gamma,
                              const ValueIterationOptions& options = {});

struct ReturnRange {
  Tensor maximum;  // scalar, max over policies of the return
  Tensor minimum;
};
ReturnRange return_range(const Tensor& transition, const Tensor& reward, const Tensor& initial, double gamma);

struct SoftValueOptions {
  double temperature = 1;                          // > 0
  std::optional<Tensor> reference = std::nullopt;  // [S,A] >= 0, with a positive entry per row; default 1
};

// V = temperature log sum_a reference exp(Q/temperature), Q = r + gamma E[V]; `policy` proportional to
// reference exp(Q/temperature), exactly 0 where the reference is 0. Soft policy iteration, to rounding.
OptimalValues soft_value_iteration(const Tensor& transition, const Tensor& reward, double gamma,
                                   const SoftValueOptions& options = {});

// Optimal values for expected rewards [S,A], tables that were checked.
struct GreedyValues {
  Tensor values;  // [S]
  Tensor q;       // [S,A]
};
GreedyValues solve_optimal(const Tensor& transition, const Tensor& expected, double gamma,
                           const ValueIterationOptions& options = {});

// One-hot on the lowest index within 1e-9 of the maximum of each row, [S,A].
Tensor greedy_policy(const Tensor& q);

}  // namespace plaudit
