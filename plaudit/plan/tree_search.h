// Monte-Carlo tree search over the actions that an agent proposes, guided by a trajectory reward.
//
// Chen et al., "Scaling Autonomous Agents via Automatic Reward Modeling and Planning" (ARMAP), 2025, arXiv
// 2502.12130, with the exploration terms of the official code. UserErrors: empty, shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct UctOptions {
  // Exploration of a child with n returns under a node with N visits:
  //   uct        c sqrt(ln N)/(1+n)
  //   p_uct      c P sqrt(ln N)/(1+n)                          P the agent's prior
  //   var_p_uct  (ln((N+base+1)/base) + c) P sqrt(ln N)/(1+n)
  std::string kind = "p_uct";
  double c = 6.36396103068;
  double base = 50;  // > 0
};

// value + exploration of each action, [A]: `values`, `prior` >= 0 and `counts` >= 0 [A], parent_visits >= 1.
Tensor uct_scores(const Tensor& values, const Tensor& prior, const Tensor& counts, int64_t parent_visits,
                  const UctOptions& options = {});

// A deterministic world as a table; `prior` is the agent's.
struct SearchTable {
  Tensor next_state;  // [S,A] i64
  Tensor terminal;    // [S], nonzero ends an episode
  Tensor value;       // [S]: reward on entering a terminal state, leaf estimate of any other
  Tensor prior;       // [S,A], >= 0
};

struct SearchOptions {
  int64_t root = 0;
  int64_t rollouts = 1;  // >= 1
  UctOptions uct = {.c = 1};
  double gamma = 0.9;               // in [0, 1]
  std::string value_mode = "best";  // value of a child in selection: the best of its returns, or "mean"
  std::string final_mode = "mean";  // and in the final choice
};

struct SearchResult {
  int64_t action;  // of the root, the largest value, ties to the lowest index
  Tensor counts;   // [A] i64, returns of the root's actions
  Tensor values;   // [A], by final_mode; 0 without a return
};

// The search on a table. A state that is reached along two paths is a node of its own on each; ties in
// selection go to the lowest action. A terminal root is an error of kind value.
SearchResult mcts_search(const SearchTable& table, const SearchOptions& options);

}  // namespace plaudit
