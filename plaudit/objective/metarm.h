// MetaRM: keep a reward model able to tell the answers of a drifted policy apart.
//
// Source: Dou et al., "MetaRM", 2024, arXiv 2405.00438, and Wang et al., 2024, arXiv 2401.06080, section 3.2.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct ScoreSpread {
  Tensor value;       // scalar, mean over prompts
  Tensor per_prompt;  // [B]
};

// How far apart the k >= 2 (kind value) answers of a prompt score, `rewards` [B,k]:
//   J = (2/k^2) sum_{i<j} sigma(|r_i - r_j|)   (eq. 11), subgradient 0 at equal scores.
ScoreSpread score_spread(const Tensor& rewards);

struct MetarmOptions {
  double eta = 0.01;     // step of the ascent on J, >= 0
  double alpha = 0.001;  // step of the descent on the preference loss, >= 0
};

struct MetarmStep {
  Tensor spread;    // scalar, J before the step
  Tensor adapted;   // [D], w' = w + eta grad J
  Tensor loss;      // scalar, Bradley-Terry loss at w'
  Tensor gradient;  // [D], its gradient at w'
  Tensor updated;   // [D], w - alpha gradient: the step is taken from w, first order
};

// Algorithm 1 for a linear reward r(x) = weight . x: `weight` [D], `chosen` and `rejected` [B,D] of labelled
// pairs, `meta` [M,k,D] of k samples of the current policy for each of M prompts.
MetarmStep metarm_linear_step(const Tensor& weight, const Tensor& chosen, const Tensor& rejected,
                              const Tensor& meta, const MetarmOptions& options = {});

}  // namespace plaudit
