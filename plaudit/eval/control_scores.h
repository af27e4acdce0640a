// Scores of policies in control tasks.
//
// UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// 100 (R - random)/(expert - random), [N]; equal references are kind value.
Tensor normalized_score(const Tensor& returns, double random_return, double expert_return);

struct ReferenceReturns {
  double random_return = 0, expert_return = 0;
};

// Those that D4RL's published scores are between (Fu et al., 2020, infos.py): of "HalfCheetah-v5",
// "hopper-medium-v2" or any other name that starts with halfcheetah, hopper or walker2d; nothing for other
// tasks.
std::optional<ReferenceReturns> d4rl_references(const std::string& task);

// The area under returns + shift over decision intervals `lengths` [L] (>= 2, strictly increasing), by
// trapezoids, over max_return times the largest interval. Patel and Siegelmann, ICLR 2025; a perfect policy
// on 1..30 scores 29/30. max_return > 0.
Tensor frequency_averaged_score(const Tensor& lengths, const Tensor& returns, double max_return,
                                double shift = 0);

struct GoalSuccess {
  Tensor final_success;      // scalar: share of episodes within the threshold at their last kept step
  Tensor any_success;        // at some kept step
  Tensor discounted_return;  // mean of sum_t gamma^t success_t
};

// `achieved` [B,T,G], `goals` [B,G], `mask` [B,T] with a kept step in every row; success is a distance <
// threshold.
GoalSuccess goal_success(const Tensor& achieved, const Tensor& goals, const Tensor& mask, double threshold,
                         double gamma);

// "dense": exp(-|position - goal|); "sparse": 1 where that distance is at most 0.45. `position` [B,2], `goal`
// [2].
Tensor maze_reward(const Tensor& position, const Tensor& goal, const std::string& mode = "dense");

}  // namespace plaudit
