// A mixture of reward models: whose preferences each group explains, and the group that is served worst.
//
// Chakraborty et al., "MaxMin-RLHF", 2024, arXiv 2402.08925. Rewards [G,N] of G groups for the chosen and the
// rejected answer of N pairs; `user` [N] i64 in [0, U) says who labelled a pair. UserErrors: empty (also a
// user without pairs), shape, nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct UserPairs {
  Tensor chosen_rewards;    // [G,N]
  Tensor rejected_rewards;  // [G,N]
  Tensor user;              // [N]
};

struct EmOptions {
  bool hard = true;                            // one group per user, else their posterior
  std::optional<Tensor> prior = std::nullopt;  // [G] >= 0; default 1/G
};

struct EmAssignment {
  Tensor user_loglik;     // [U,G], sum over the user's pairs of log sigma(r_c - r_r)
  Tensor assignment;      // [U] i64, the group of the largest log-likelihood + log prior, ties to the lowest
  Tensor responsibility;  // [U,G], rows sum to 1
  Tensor loglik;          // scalar, sum over users of log sum_g prior_g exp(loglik)
};

// The E-step of algorithm 2, in logarithms.
EmAssignment em_assign(const UserPairs& pairs, int64_t num_users, const EmOptions& options = {});

struct MixtureLoss {
  Tensor loss;         // scalar, weighted negative log-likelihood of all groups / N
  Tensor group_loss;   // [G], weighted mean negative log-likelihood; 0 for a group without weight
  Tensor group_count;  // [G], summed responsibility of the pairs
};

// The M-step: Bradley-Terry with each pair weighted by its user's `responsibility` [U,G] >= 0.
MixtureLoss mixture_loss(const UserPairs& pairs, const Tensor& responsibility);

struct MaxminOptions {
  std::optional<Tensor> kl = std::nullopt;  // [B], the same for all groups
  double beta = 0;                          // weight of the KL, >= 0
  std::string level = "batch";  // "batch": the rewards of the worst group; "sample": the least of each row
};

struct MaxminReward {
  Tensor utility;   // [G], mean reward - beta mean kl
  Tensor group;     // scalar i64, the worst-off group, ties to the lowest
  Tensor selected;  // [B], the rewards to train on
};

// `rewards` [B,G] of a batch under every group; algorithm 1.
MaxminReward maxmin_reward(const Tensor& rewards, const MaxminOptions& options = {});

}  // namespace plaudit
