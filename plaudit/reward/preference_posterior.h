// What comparisons teach about rewards, in closed form: Gaussian conditioning and the distances that it
// induces.
//
// Qiu et al., "Reward Generalization in RLHF: A Topological Perspective", 2025, arXiv 2402.10184. UserErrors:
// empty, shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct PreferencePosterior {
  Tensor mean;        // [n]
  Tensor covariance;  // [n,n]
};

// Rewards with prior Normal(0, K), K = prior_covariance [n,n], after noisy differences r_i - r_j = difference
// [N] of pairs [N,2] with variance noise_variance > 0: mean = K A' (A K A' + s I)^-1 difference, A with rows
// of +1 and -1.
PreferencePosterior preference_posterior(const Tensor& prior_covariance, const Tensor& pairs,
                                         const Tensor& difference, double noise_variance);

// Uncertainty of one reward given another on a graph of comparisons, [nodes,nodes]: `edges` [E,2] with
// `variance` [E] > 0. "min_path": the smallest sum along a path; "resistance": all paths combined, the
// effective resistance. Infinite between components, 0 on the diagonal.
Tensor inference_distance(const Tensor& edges, const Tensor& variance, int64_t nodes,
                          const std::string& mode = "min_path");

struct AutoencodingGap {
  Tensor human;           // [n], softmax(human_beta human_reward)
  Tensor model;           // [n], softmax(model_beta model_reward)
  Tensor kl;              // scalar, KL(human || model), nats
  Tensor tv;              // scalar, total variation
  Tensor difference_mse;  // scalar, mean over unordered pairs of the squared error of reward differences
};

// RLHF as an autoencoder: how far the policy of a learned reward is from the one that people would want.
AutoencodingGap autoencoding_gap(const Tensor& human_reward, const Tensor& model_reward,
                                 double human_beta = 1, double model_beta = 1);

}  // namespace plaudit
