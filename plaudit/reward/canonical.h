// Rewards of a finite MDP that order all policies alike, brought to one form, and their norms.
//
// Potential shaping R + gamma Phi(s') - Phi(s) and redistribution over successors never change the order of
// policies; a canonical form forgets both. Skalse et al., "STARC", 2024, arXiv 2309.15257; EPIC: Gleave et
// al., 2021, arXiv 2006.13900; DARD: Wulfe et al., 2022, arXiv 2201.10081. Rewards and transitions [S,A,S],
// UserErrors as in env/tabular.h.
#pragma once

#include <optional>
#include <string>

#include "plaudit/env/tabular.h"

namespace plaudit {

// reward + gamma potential(s') - potential(s), `potential` [S].
Tensor potential_shaping(const Tensor& reward, const Tensor& potential, double gamma);

// The advantage of a policy (uniform by default), repeated over s': invariant to shaping and redistribution.
Tensor canonicalise_value(const Tensor& transition, const Tensor& reward, double gamma,
                          const std::optional<Tensor>& policy = std::nullopt);

struct MinimalReward {
  Tensor canonical;  // [S,A,S]
  Tensor norm;       // scalar, its L2 norm
};

// The reward of least L2 norm among all that shaping and redistribution reach.
MinimalReward canonicalise_minimal(const Tensor& transition, const Tensor& reward, double gamma);

// R + gamma m(s') - m(s) - gamma E_{D_S}[m], m(s) = E_{a ~ D_A, s' ~ D_S}[R(s,a,s')]; `state_distribution`
// [S], `action_distribution` [A], uniform by default. Not invariant to redistribution.
Tensor canonicalise_epic(const Tensor& reward, double gamma,
                         const std::optional<Tensor>& state_distribution = std::nullopt,
                         const std::optional<Tensor>& action_distribution = std::nullopt);

// R + gamma m(s') - m(s) - gamma k(s,s'), m(s) = E_{a, s' ~ transition}[R], k(s,s') = E_a E_{x ~ (s,a), z ~
// (s',a)} R(x,a,z) with the same action in both draws.
Tensor canonicalise_dard(const Tensor& transition, const Tensor& reward, double gamma,
                         const std::optional<Tensor>& action_distribution = std::nullopt);

// (sum w |x|^p)^(1/p), or max w |x| for infinite p; order p is 1, 2 or infinity, `weights` like reward,
// default 1.
Tensor reward_norm(const Tensor& reward, double order = 2,
                   const std::optional<Tensor>& weights = std::nullopt);

// reward / its norm; a norm of at most 1e-12 leaves it unchanged.
Tensor standardise_reward(const Tensor& reward, double order = 2);

// Sampled forms, for B transitions with K inner draws each; the same draws must serve all rewards of a
// comparison.

// mean_K(rewards + gamma next_values) - values; `rewards`, `next_values` [B,K], `values` [B].
Tensor canonicalise_value_sampled(const Tensor& rewards, const Tensor& values, const Tensor& next_values,
                                  double gamma);

// rewards + gamma mean(rewards_next) - mean(rewards_state) - gamma mean(rewards_all); [B], [B,K], [B,K], [M].
Tensor canonicalise_epic_sampled(const Tensor& rewards, const Tensor& rewards_state,
                                 const Tensor& rewards_next, const Tensor& rewards_all, double gamma);

// rewards + mean_K(gamma rewards_next - rewards_state - gamma rewards_cross); [B] and [B,K].
Tensor canonicalise_dard_sampled(const Tensor& rewards, const Tensor& rewards_state,
                                 const Tensor& rewards_next, const Tensor& rewards_cross, double gamma);

}  // namespace plaudit
