// Offline policy gradients that take a whole answer as one action.
//
// Baheti et al., "Leftover-Lunch: Advantage-based Offline RL for Language Models", 2024, arXiv 2305.14718;
// GOLD: Pang and He, 2021, arXiv 2009.07839. `logps`, `ref_logps`, `mask` [B,T] with a valid token in every
// row; token losses are summed over a row and averaged over rows; what lies under the mask is never read.
// UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// R - V of one answer, at least 0 with `clamp`; [B].
Tensor sequence_advantage(const Tensor& rewards, const Tensor& values, bool clamp = true);

struct AlolOptions {
  std::string variant = "ref_free";  // or alol, seq, kl
  std::optional<double> clip =
      0.9;               // importance is clipped to [1 - clip, 1 + clip], in (0,1]; none leaves it
  double kl_beta = 0.1;  // of the variant kl, >= 0
};

struct AlolLoss {
  Tensor loss;        // scalar
  Tensor losses;      // [B]
  Tensor importance;  // [B]; of seq [B,T], 0 under the mask; detached
};

// With A = max(advantage, 0), detached, and rho = pi/pi_ref, detached: A sum nll (ref_free), A clip(prod rho)
// sum nll (alol), A sum clip(rho) nll (seq), A sum nll + kl_beta sum (log pi - log pi_ref) (kl). R-LoL is
// alol with rewards as advantages.
AlolLoss alol_loss(const Tensor& logps, const Tensor& ref_logps, const Tensor& mask, const Tensor& advantages,
                   const AlolOptions& options = {});

struct SequenceLoss {
  Tensor loss;    // scalar, the mean of losses
  Tensor losses;  // [B]
};

// weight sum nll; `weights` [B]. Weight 1 is maximum likelihood, the reward weighted behaviour cloning.
SequenceLoss weighted_nll_loss(const Tensor& logps, const Tensor& mask, const Tensor& weights);

// reward sum max(pi, floor) nll with pi detached; floor in [0,1].
SequenceLoss gold_loss(const Tensor& logps, const Tensor& mask, const Tensor& rewards, double floor = 0.1);

}  // namespace plaudit
