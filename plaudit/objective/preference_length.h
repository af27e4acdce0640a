// Reference-free preference losses on per-token averages of the log-probability.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct SimpoOptions {
  double beta = 2;                // > 0; 2 to 10 are usual
  double gamma_beta_ratio = 0.5;  // the target margin of the averages, gamma/beta
  double label_smoothing = 0;     // in [0, 1/2)
};

struct SimpoResult {
  Tensor loss;              // scalar
  Tensor losses;            // [B]
  Tensor chosen_rewards;    // [B], beta times the average, detached
  Tensor rejected_rewards;  // [B], detached
};

// -log sigma(beta (chosen/|chosen| - rejected/|rejected| - gamma/beta)), smoothed as DPO is. `chosen_logps`
// and `rejected_logps` [B] are sums, the lengths [B] > 0 their numbers of tokens. Meng, Xia, Chen, "SimPO",
// 2024, arXiv 2405.14734, eq. 6.
SimpoResult simpo_loss(const Tensor& chosen_logps, const Tensor& rejected_logps, const Tensor& chosen_lengths,
                       const Tensor& rejected_lengths, const SimpoOptions& options = {});

struct OrpoOptions {
  double lam = 0.1;  // weight of the odds-ratio term, >= 0
};

struct OrpoResult {
  Tensor loss;            // scalar
  Tensor losses;          // [B]
  Tensor log_odds_ratio;  // [B]
};

// nll(chosen) - lam log sigma(log odds(chosen) - log odds(rejected)) with log odds(x) = x - log(1 - exp x) of
// the average log-probability x < 0 [B]. Hong, Lee, Thorne, "ORPO", 2024, arXiv 2403.07691, eq. 6-7.
OrpoResult orpo_loss(const Tensor& chosen_avg_logps, const Tensor& rejected_avg_logps,
                     const Tensor& chosen_nll, const OrpoOptions& options = {});

// log(1 - exp x) for x < 0, accurate near 0 and far below; the gradient is finite everywhere.
Tensor log1mexp(const Tensor& x);

}  // namespace plaudit
