// Monte-Carlo tree search over the actions that an agent proposes.
//
// Source: ARMAP (Chen et al., 2025, arXiv 2502.12130) and its code. Values of actions are the maximum or the
// mean of the returns that were backed up through them.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct Exploration {
  std::string kind = "p_uct";  // uct, p_uct, var_p_uct
  double c = 6.36396103068;
  double base = 50;  // of var_p_uct, > 0
};

// value + exploration of each action; N = `parent_visits` >= 1, n = `counts`:
//   uct        c sqrt(ln N)/(1 + n)
//   p_uct      c P sqrt(ln N)/(1 + n)
//   var_p_uct  (ln((N + base + 1)/base) + c) P sqrt(ln N)/(1 + n)
// values, prior, counts [A]. Errors: empty, shape, nan, value.
Tensor uct_scores(const Tensor& values, const Tensor& prior, const Tensor& counts, double parent_visits,
                  const Exploration& exploration = {});

// A deterministic table: `next_state` [S,A] i64, `terminal` [S], `value` [S] (the reward for entering a
// terminal state, the leaf estimate of any other), `prior` [S,A].
struct SearchTable {
  Tensor next_state;
  Tensor terminal;
  Tensor value;
  Tensor prior;
};
struct SearchOptions {
  int64_t root = 0;
  int64_t rollouts = 10;
  Exploration exploration = {.c = 1};
  double gamma = 0.9;
  std::string value_mode = "best";  // of the returns of an action, in selection: best or mean
  std::string final_mode = "mean";  // in the final choice
};
struct SearchResult {
  int64_t action;  // of the root with the largest value, ties to the lowest index
  Tensor counts;   // [A] i64 returns per action of the root
  Tensor values;   // [A] f64 by final_mode, 0 without a return
};
// A state reached along two paths is a node per path. Errors besides: a terminal root, rollouts < 1, a next
// state out of range (value).
SearchResult mcts_search(const SearchTable& table, const SearchOptions& options);

}  // namespace plaudit
