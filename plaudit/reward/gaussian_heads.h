// A reward model of several Gaussian heads, and rewards that are pessimistic over them by a dial.
//
// Yan et al., "Reward-Robust RLHF in LLMs", 2024, arXiv 2409.15360. Head h of H gives a mean and a standard
// deviation for each response. UserErrors: empty, shape, nan, value (a negative deviation, an option out of
// range).
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct GaussianHeads {
  Tensor mean;  // [B,H]
  Tensor std;   // [B,H], > 0
};

// `raw` [B,H,2]: mean = raw[...,0], std = softplus(raw[...,1]) + min_std; min_std >= 0.
GaussianHeads gaussian_heads(const Tensor& raw, double min_std = 1e-3);

struct NominalHead {
  Tensor reward;  // [B], the mean of the head
  Tensor head;    // [B] i64, the head of the smallest deviation, ties to the lowest index
  Tensor std;     // [B]
};

// The most confident head of each response; `mean`, `std` [B,H].
NominalHead nominal_head(const Tensor& mean, const Tensor& std);

struct BrmeOptions {
  std::optional<Tensor> noise = std::nullopt;  // [B,H] standard normal draws; none takes their expectation
  std::optional<Tensor> head_mask = std::nullopt;  // [B,H], which head sees which response; default all
};

// Squared error of the heads: masked mean of (mean + std noise - target)^2, or of (mean - target)^2 + std^2,
// its expectation. `target` [B] or [B,H]. Nothing under the mask is read. A mask without a valid element is
// an error of kind empty.
Tensor brme_loss(const Tensor& mean, const Tensor& std, const Tensor& target,
                 const BrmeOptions& options = {});

struct RobustOptions {
  double lambda = 0.4;  // in [0,1]: 1 is the nominal reward, 0 the worst head's
  std::string uncertainty =
      "per_sample";  // the worst head of each response, or "batch": of the lowest batch mean
  double kappa = 0;  // each head enters the worst case as mean - kappa std, >= 0
};

struct RobustReward {
  Tensor reward;      // [B], lambda nominal + (1 - lambda) worst
  Tensor nominal;     // [B]
  Tensor worst;       // [B]
  Tensor worst_head;  // [B] i64
};

RobustReward robust_reward(const Tensor& mean, const Tensor& std, const RobustOptions& options = {});

}  // namespace plaudit
