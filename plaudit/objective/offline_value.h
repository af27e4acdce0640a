// Values from logged transitions: targets, and losses of critics that are robust or optimistic on purpose.
//
// Kostrikov et al., "Offline RL with Implicit Q-Learning", 2021, arXiv 2110.06169 (expectile); Yang et al.,
// "Towards Robust Offline RL under Diverse Data Corruption", 2024, arXiv 2310.12955 (Huber, quantile, clipped
// targets). B transitions, K critics; targets never carry a gradient. UserErrors: empty, shape, nan, and
// value for an option out of range.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

struct ElementwiseLoss {
  Tensor loss;         // scalar, the mean
  Tensor elementwise;  // as the input
};

// |tau - 1(d <= 0)| d^2 for residuals of any shape: a mean that leans to the upper end, tau in (0,1).
ElementwiseLoss expectile_loss(const Tensor& diff, double tau = 0.7);

// sigma^2 d^2/2 where |d| < 1/sigma^2, else |d| - 1/(2 sigma^2); sigma > 0, nearly L1 when large.
ElementwiseLoss huber_sigma_loss(const Tensor& diff, double sigma = 1);

struct TdTargetOptions {
  double gamma = 0.99;                              // in [0,1]
  std::optional<double> target_min = std::nullopt;  // clamp the target from below
  std::optional<double> target_max = std::nullopt;  // and from above
};

// r + gamma (1 - terminal) V(s'), all [B]. A time limit is not a terminal.
Tensor td_target(const Tensor& rewards, const Tensor& terminals, const Tensor& next_values,
                 const TdTargetOptions& options = {});

// The alpha-quantile over the K critics of `q` [K,B], linearly interpolated; alpha in [0,1], 0 is the
// minimum.
Tensor quantile_q(const Tensor& q, double alpha = 0.25);

struct RiqlOptions {
  double gamma = 0.99;
  double sigma = 1;  // of huber_sigma_loss
  std::optional<double> target_min = -100;
  std::optional<double> target_max = 1000;
};

struct TargetLoss {
  Tensor loss;     // scalar
  Tensor targets;  // [B], detached
};

// The mean over K critics and B transitions of huber_sigma_loss(q - td_target).
TargetLoss riql_q_loss(const Tensor& q, const Tensor& rewards, const Tensor& terminals,
                       const Tensor& next_values, const RiqlOptions& options = {});

}  // namespace plaudit
