// A Gaussian process on the line: zero mean, kernel signal_variance exp(-(x-x')^2/(2 length_scale^2)).
//
// `x`, `y` [n] f64. UserErrors: shape, nan, and value for a scale <= 0, a negative noise, or a kernel that is
// singular without noise.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct GpOptions {
  double length_scale = 1;     // > 0
  double signal_variance = 1;  // > 0
  double noise_std = 0.1;      // of the observations, >= 0
};

struct GpPosterior {
  Tensor mean;  // [m], of the latent function
  Tensor std;   // [m]
};

// At `query` [m]; the prior for n = 0.
GpPosterior gp_posterior(const Tensor& x, const Tensor& y, const Tensor& query,
                         const GpOptions& options = {});

// log p(y | x), n >= 1.
Tensor gp_log_marginal_likelihood(const Tensor& x, const Tensor& y, const GpOptions& options = {});

}  // namespace plaudit
