// Rewards conditioned on a user that a set of comparisons reveals: posteriors, their prices, and what to ask
// next.
//
// Poddar et al., "Personalizing RLHF with Variational Preference Learning", 2024, arXiv 2408.10075. U users,
// Z latent dimensions; posteriors are Normal(mean, diag exp(logvar)). UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// A diagonal Gaussian prior [Z]; standard normal where not given.
struct GaussianPrior {
  std::optional<Tensor> mean = std::nullopt;
  std::optional<Tensor> logvar = std::nullopt;
};

struct GaussianKl {
  Tensor kl;       // scalar, the mean of per_row
  Tensor per_row;  // [U], KL(posterior || prior), nats
};

// `mean`, `logvar` [U,Z].
GaussianKl gaussian_kl(const Tensor& mean, const Tensor& logvar, const GaussianPrior& prior = {});

// mean + exp(logvar/2) noise [U,Z], with `normalize` scaled to norm sqrt(Z).
Tensor reparameterize(const Tensor& mean, const Tensor& logvar, const Tensor& noise, bool normalize = false);

// Annotations of U users on N pairs each.
struct UserComparisons {
  Tensor reward_a, reward_b;                  // [U,N]
  Tensor label;                               // [U,N] in [0,1], 1: a preferred
  std::optional<Tensor> mask = std::nullopt;  // [U,N], default all
};

struct ElboOptions {
  double kl_weight = 1;     // >= 0
  double reward_scale = 1;  // > 0, divides the rewards
  GaussianPrior prior = {};
};

struct PreferenceElbo {
  Tensor loss;            // scalar, reconstruction + kl_weight kl: the negative ELBO
  Tensor reconstruction;  // mean over users of the sum over their annotations of the cross-entropy
  Tensor kl;              // mean over users
  Tensor accuracy;        // share of annotations with [a > b] == [label > 1/2]
};
PreferenceElbo preference_elbo(const UserComparisons& comparisons, const Tensor& mean, const Tensor& logvar,
                               const ElboOptions& options = {});

struct AnnealOptions {
  std::string shape =
      "linear";           // s/T, cosine (cos(pi (s/T - 1)) + 1)/2, logistic 1/(1 + exp(T/2 - s)), none 1
  double baseline = 0;    // the least weight, in [0,1]
  bool cyclical = false;  // s = step mod T instead of min(step, T)
};

// The weight of the KL term at a step: shape (1 - baseline) + baseline. step >= 0, total_steps T > 0.
double kl_anneal(int64_t step, int64_t total_steps, const AnnealOptions& options = {});

// Weights stored [out,in] and biases of one attention over a set.
struct AttentionPoolWeights {
  Tensor wq, wk, wv;  // [Z,Z]
  Tensor bq, bk, bv;  // [Z]
};

// softmax(Q K^T/sqrt(Z)) V averaged over the members of each set: `x` [U,n,Z], `mask` [U,n] with a member in
// every set. Masked members neither attend nor are attended to; the order of the members does not matter.
// [U,Z].
Tensor set_attention_pool(const Tensor& x, const Tensor& mask, const AttentionPoolWeights& weights);

struct InformationGain {
  Tensor gain;                 // scalar, nats: H(mixture) - conditional_entropy
  Tensor conditional_entropy;  // mean entropy of the posteriors
};

// What the answers to a candidate set of questions tell: `mean`, `logvar` [L,Z] are the posteriors after each
// of L possible answers, `probability` [L] >= 0 (normalised; default uniform). The entropy of the mixture is
// that of a Gaussian with its mean and variances.
InformationGain query_information_gain(const Tensor& mean, const Tensor& logvar,
                                       const std::optional<Tensor>& probability = std::nullopt);

}  // namespace plaudit
