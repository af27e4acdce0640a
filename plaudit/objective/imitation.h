// Policies by regression on logged actions, plain or weighted.
//
// B transitions, A action dimensions. UserErrors: empty, shape, nan, and value for an option out of range.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct AdvantageWeightOptions {
  double beta = 3;          // inverse temperature, >= 0; 0 is plain cloning
  double max_weight = 100;  // > 0
};

// exp(min(beta A, log max_weight)) [B]: the exponent is clamped, so no weight is ever infinite. Peng et al.,
// "AWR", 2019, arXiv 1910.00177.
Tensor advantage_weights(const Tensor& advantages, const AdvantageWeightOptions& options = {});

// Mean over the batch of weight |pred - action|^2; `pred`, `actions` [B,A], `weights` [B].
Tensor weighted_bc_loss(const Tensor& pred, const Tensor& actions, const Tensor& weights);

// Mean squared error over batch and dimensions. Emmons et al., "RvS", 2021, arXiv 2112.10751.
Tensor rcsl_loss(const Tensor& pred, const Tensor& actions);

// Mean squared error over kept steps and dimensions; `pred`, `actions` [B,T,A], `mask` [B,T] with a kept
// step, else kind empty. What lies under the mask is never read.
Tensor masked_action_mse(const Tensor& pred, const Tensor& actions, const Tensor& mask);

struct AdvantageWeightedLoss {
  Tensor loss;     // scalar, -mean weight log pi
  Tensor weights;  // [B], detached
};

struct AdvantageWeightedOptions {
  double temperature = 3;  // >= 0
  double max_weight = 100;
};

// advantage_weights of min_k q - value as weights of `logps` [B]; `q` [K,B], `values` [B]. Sikchi et al.,
// "SMORE", 2024, arXiv 2311.02013, with the weights of IQL.
AdvantageWeightedLoss advantage_weighted_loss(const Tensor& logps, const Tensor& q, const Tensor& values,
                                              const AdvantageWeightedOptions& options = {});

}  // namespace plaudit
