// Rewards conditioned on a latent vector that is inferred for each user.
//
// Poddar et al., "Personalizing RLHF with Variational Preference Learning", 2024, arXiv 2408.10075. A user u
// has a Gaussian posterior N(mean, diag exp(logvar)), `mean` and `logvar` [U,Z]. UserErrors: empty, shape,
// nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// A diagonal Gaussian prior, [Z]; the standard normal where not given.
struct GaussianPrior {
  std::optional<Tensor> mean = std::nullopt;
  std::optional<Tensor> logvar = std::nullopt;
};

struct GaussianKl {
  Tensor kl;       // scalar, mean of per_row, nats
  Tensor per_row;  // [U]
};

// KL(N(mean, exp(logvar)) || prior), exact.
GaussianKl gaussian_kl(const Tensor& mean, const Tensor& logvar, const GaussianPrior& prior = {});

// z = mean + exp(logvar/2) noise, [U,Z]; `normalize` rescales each row to the norm sqrt(Z), a row of zeros
// stays zero.
Tensor reparameterize(const Tensor& mean, const Tensor& logvar, const Tensor& noise, bool normalize = false);

struct ElboOptions {
  std::optional<Tensor> mask = std::nullopt;  // [U,N], which annotations count; default all
  double kl_weight = 1;                       // >= 0
  double reward_scale = 1;                    // the logit is (a - b)/scale, > 0
  GaussianPrior prior = {};
};

struct PreferenceElbo {
  Tensor loss;            // scalar, reconstruction + kl_weight kl: the negative evidence lower bound
  Tensor reconstruction;  // scalar, cross entropy summed over a user's annotations, mean over users
  Tensor kl;              // scalar, mean over users
  Tensor accuracy;        // scalar, share of annotations with [a > b] == [label > 1/2]
};

// `reward_a`, `reward_b` [U,N] under the user's z, `label` [U,N] = P(a preferred) in [0,1]; eq. 3.
PreferenceElbo preference_elbo(const Tensor& reward_a, const Tensor& reward_b, const Tensor& label,
                               const Tensor& mean, const Tensor& logvar, const ElboOptions& options = {});

struct AnnealOptions {
  std::string shape = "cosine";  // linear, cosine, logistic or none
  double baseline = 0;           // the weight where the shape is 0, in [0, 1]
  bool cyclical = false;         // start anew every total_steps
};

// The weight of the KL at `step` >= 0 of `total_steps` > 0, in [baseline, 1].
double kl_anneal(int64_t step, int64_t total_steps, const AnnealOptions& options);

struct InformationGain {
  Tensor gain;                 // scalar, nats
  Tensor conditional_entropy;  // scalar, mean entropy of the posteriors
};

// What asking a set of questions teaches: H(mixture) - mean_l H(q_l) over the posteriors `mean`, `logvar`
// [L,Z] that each possible vector of answers l would give, with the mixture's entropy taken from the Gaussian
// of its mean and variances. `probability` [L] >= 0 is normalised; default uniform.
InformationGain query_information_gain(const Tensor& mean, const Tensor& logvar,
                                       const std::optional<Tensor>& probability = std::nullopt);

}  // namespace plaudit
