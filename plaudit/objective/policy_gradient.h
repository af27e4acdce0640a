// Policy-gradient losses over tokens (or steps): PPO, its value loss, GRPO.
//
// All take [B,T] tensors and a mask, which may have holes; what lies under the mask is never read. Log-ratios
// are limited to +-20 before exp. UserErrors: no valid token (empty), unequal shapes (shape), NaN or infinity
// at a valid token (nan), an option out of range (value).
#pragma once

#include <optional>

#include "plaudit/objective/tokens.h"

namespace plaudit {

struct ClipRange {
  double low = 0.2;                                // the ratio is clipped to [1 - low, 1 + high], > 0
  std::optional<double> high = std::nullopt;       // default: low
  std::optional<double> dual_clip = std::nullopt;  // > 1: for A < 0 the loss is at most -dual_clip A
};

struct PpoClipOptions {
  ClipRange clip = {};
  TokenReduction reduction = {};  // token_mean or sequence_mean
  std::optional<Tensor> weights =
      std::nullopt;  // [B], multiply each row's losses before the mean, not normalised
};

struct PpoClipResult {
  Tensor loss;           // scalar
  Tensor clip_fraction;  // scalar, share of valid tokens whose clipped term is strictly larger
  Tensor approx_kl;      // scalar, mean of (log pi - log pi_old)^2/2 over valid tokens
};

// With rho = pi/pi_old: mean of max(-A rho, -A clip(rho, 1-low, 1+high)). The gradient at a clipped token is
// 0. Schulman et al., 2017, arXiv 1707.06347, eq. 7; dual clip of Ye et al., 2020, arXiv 1912.09729.
PpoClipResult ppo_clip_loss(const Tensor& logps, const Tensor& old_logps, const Tensor& advantages,
                            const Tensor& mask, const PpoClipOptions& options = {});

// Half the masked mean of max((V-G)^2, (V_old + clip(V - V_old, +-clip) - G)^2); without a clip of (V-G)^2.
Tensor ppo_value_loss(const Tensor& values, const Tensor& old_values, const Tensor& returns,
                      const Tensor& mask, std::optional<double> clip = 0.2);

struct GrpoOptions {
  ClipRange clip = {};
  double beta = 0.04;  // weight of the KL to the reference, >= 0
  TokenReduction reduction = {.kind = "sequence_mean"};
};

struct GrpoResult {
  Tensor loss;           // scalar, policy_loss + beta kl
  Tensor policy_loss;    // scalar
  Tensor kl;             // scalar, k3 estimate under the same reduction; the gradient flows through it
  Tensor clip_fraction;  // scalar
};

// Group-relative policy optimisation: the clipped surrogate with one advantage per answer, `advantages` [B].
// Shao et al., 2024, arXiv 2402.03300, eq. 3-4.
GrpoResult grpo_loss(const Tensor& logps, const Tensor& old_logps, const Tensor& ref_logps,
                     const Tensor& advantages, const Tensor& mask, const GrpoOptions& options = {});

// The adaptive KL coefficient: coef (1 + clip(current/target - 1, +-0.2) n_steps/horizon); target, horizon >
// 0. Ziegler et al., 2019, arXiv 1909.08593, section 2.2.
double adaptive_kl(double coef, double current, double target = 6, double horizon = 10000,
                   int64_t n_steps = 1);

}  // namespace plaudit
