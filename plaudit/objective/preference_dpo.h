// Preference losses on the log-ratio margin h (preference_margin.h): DPO and its closest relatives.
//
// Source: Rafailov et al., "Direct Preference Optimization", 2023, arXiv 2305.18290, eq. 7.
// All take the four [B] sums of log-probabilities, f32 or f64 (bf16 and f16 are computed in f32), return the
// mean over the batch as `loss`, and refuse what checked_pair refuses.
#pragma once

#include <optional>

#include "plaudit/objective/preference_margin.h"

namespace plaudit {

struct DpoOptions {
  double beta = 0.1;            // strength of the pull to the reference, > 0
  double label_smoothing = 0;   // probability that a label is wrong, in [0, 1/2); 0 is the paper
  bool reference_free = false;  // take the log-ratio of the reference as 0
};

struct DpoResult {
  Tensor loss;              // scalar
  Tensor losses;            // [B]
  Tensor chosen_rewards;    // [B], detached; use the reference even when reference_free
  Tensor rejected_rewards;  // [B], detached
  Tensor accuracy;          // scalar, share of chosen_rewards > rejected_rewards
};

// -(1-a) log sigma(beta h) - a log sigma(-beta h).
DpoResult dpo_loss(const PairLogps& pair, const DpoOptions& options = {});

// dpo_loss on per-token averages: every log-probability is divided by the length of its answer,
// `chosen_lengths` and `rejected_lengths` [B] > 0. The usual beta is 5 here, 0.1 on sums. Lambert et al.,
// "Tulu 3", 2024, arXiv 2411.15124, eq. 6.
DpoResult dpo_norm_loss(const PairLogps& pair, const Tensor& chosen_lengths, const Tensor& rejected_lengths,
                        const DpoOptions& options = {.beta = 5});

struct RobustDpoOptions {
  double beta = 0.1;             // > 0
  double label_smoothing = 0.1;  // known flip rate of the labels, in [0, 1/2)
};

// [-(1-a) log sigma(beta h) + a log sigma(-beta h)] / (1-2a): unbiased under a known flip rate.
// Chowdhury et al., "Provably Robust DPO", 2024, arXiv 2403.00409, eq. 12.
PairLoss robust_dpo_loss(const PairLogps& pair, const RobustDpoOptions& options = {});

struct IpoOptions {
  std::optional<Tensor> chosen_lengths =
      std::nullopt;  // [B] > 0: divide the log-ratio by the tokens of the answer
  std::optional<Tensor> rejected_lengths = std::nullopt;  // both or neither
  double tau = 0.1;                                       // > 0
};

// (h - 1/(2 tau))^2. Azar et al., "A General Theoretical Paradigm ...", 2023, arXiv 2310.12036, eq. 17.
PairLoss ipo_loss(const PairLogps& pair, const IpoOptions& options = {});

struct HingeOptions {
  double beta = 0.1;            // > 0
  double margin = 1;            // where the loss reaches zero
  bool reference_free = false;  // SLiC
};

// max(0, margin - beta h). Zhao et al., SLiC-HF, 2023, arXiv 2305.10425; Liu et al., RSO, 2024, arXiv
// 2309.06657.
PairLoss hinge_loss(const PairLogps& pair, const HingeOptions& options = {});

}  // namespace plaudit
