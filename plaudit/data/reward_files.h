// Files that rewards are compared on: a finite MDP with some rewards, or transitions that some rewards
// scored.
//
// Tables, as JSON or safetensors with the same names (docs/reward-distance.md):
//   {"transition": [S,A,S], "gamma": 0.95, "initial": [S], "rewards": {"true": [S,A,S], "learned": [S,A]}}
// Transitions, as JSON lines or safetensors:
//   {"s": [0.1, 0.2], "a": [1], "s2": [0.2, 0.3], "done": false, "rewards": {"true": 1.0, "learned": 0.4}}
// In safetensors a reward is the tensor "rewards/NAME"; gamma stands in the metadata.
//
// UserErrors start with file and field, with the line in JSON lines: io, type, shape, value, empty, nan.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace plaudit {

using NamedRewards = std::vector<std::pair<std::string, at::Tensor>>;

struct RewardTables {
  at::Tensor transition;  // [S,A,S]
  at::Tensor initial;     // [S], uniform where the file has none
  std::optional<double> gamma;
  NamedRewards rewards;  // [S,A,S], broadcast over what the file leaves out: R(s), R(s,a)
};
// Two rewards at least. What a table must hold is checked where it is used (env/tabular.h).
RewardTables read_reward_tables(const std::string& path);

// N transitions of S numbers, K >= 1 draws of the successor of each; f64.
struct RewardTransitions {
  at::Tensor states;       // [N,S]
  at::Tensor next_states;  // [N,K,S]
  at::Tensor terminal;     // [N], 1 where the process ended (a time limit is no end); zeros where not given
  std::optional<double> gamma;
  NamedRewards rewards;  // [N,K]
  // Rewards of inner draws, where a safetensors file has them: "rewards_state/NAME", "rewards_next/NAME",
  // "rewards_cross/NAME" [N,K] and "rewards_all/NAME" [M], the inputs of canonicalise_epic_sampled and
  // canonicalise_dard_sampled.
  NamedRewards inner;
  const at::Tensor* find_inner(const std::string& name) const;
};
// Two rewards at least. In safetensors s2 may be [N,S] or [N,K,S], a reward [N] or [N,K].
RewardTransitions read_reward_transitions(const std::string& path);

}  // namespace plaudit
