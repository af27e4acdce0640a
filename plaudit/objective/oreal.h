// Learning from a binary verifier: clone the correct answers, reshape the incorrect ones.
//
// Source: Lyu et al., "Exploring the Limit of Outcome Reward" (OREAL), 2025, arXiv 2502.06781, and its code.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct OrealAnswers {
  Tensor logps;  // [B,T]
  Tensor
      old_logps;  // [B,T], of the behaviour policy; the current ones, detached, where it is the policy itself
  Tensor ref_logps;                                       // [B,T]
  Tensor mask;                                            // [B,T]
  Tensor rewards;                                         // [B], +1 right or -1 wrong
  Tensor advantages;                                      // [B]
  std::optional<Tensor> positive_weights = std::nullopt;  // [B,T], default ones
  std::optional<Tensor> negative_weights = std::nullopt;  // [B,T], default ones
};
struct OrealOptions {
  double positive_factor = 1;
  double negative_factor = 0.5;
  double kl_coef = 0.01;
  std::string kl_kind = "k3";  // of d = log ref - log pi: k1 is d itself here
};
struct OrealResult {
  Tensor loss;      // scalar, positive + negative + kl_coef kl
  Tensor positive;  // scalar, mean over tokens of right answers of A w (-log pi), times its factor
  Tensor negative;  // scalar, minus the mean over tokens of wrong answers of A w pi/pi_old, times its factor
  Tensor kl;        // scalar, mean over all tokens
};
// A side without answers contributes 0. Errors: no valid token (empty), shape, nan, a reward other than +-1
// (value).
OrealResult oreal_loss(const OrealAnswers& answers, const OrealOptions& options = {});

}  // namespace plaudit
