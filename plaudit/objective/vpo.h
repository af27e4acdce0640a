// Value-incentivised preference optimisation: DPO with one signed term, optimistic online, pessimistic
// offline.
//
// Cen et al., 2024, arXiv 2405.19320. The value of a KL-regularised problem, written over policies whose
// rewards are centred on a calibration law, is J = -beta E_cal[log pi - log pi_ref]. UserErrors: empty,
// shape, nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/objective/preference_margin.h"

namespace plaudit {

struct VpoOptions {
  double beta = 0.1;             // > 0
  double alpha = 0.1;            // weight of the value, >= 0
  std::string mode = "offline";  // "offline" adds alpha value (pessimism), "online" subtracts it (optimism)
};

struct VpoResult {
  Tensor loss;      // scalar
  Tensor dpo_loss;  // scalar
  Tensor value;     // scalar, -beta mean(cal_logps - cal_ref_logps)
};

// DPO on `pair` [B] with the value from `cal_logps`, `cal_ref_logps` [M] of calibration answers.
VpoResult vpo_loss(const PairLogps& pair, const Tensor& cal_logps, const Tensor& cal_ref_logps,
                   const VpoOptions& options = {});

struct KlRegularizedValue {
  Tensor value;       // scalar, mean of per_prompt under the weights
  Tensor per_prompt;  // [X], beta log sum_a ref exp(r/beta)
};

// `rewards`, `ref_logps` [X,A]; `prompt_weights` [X] >= 0 sum to 1 within 1e-9, default uniform.
KlRegularizedValue kl_regularized_value(const Tensor& rewards, const Tensor& ref_logps, double beta = 0.1,
                                        const std::optional<Tensor>& prompt_weights = std::nullopt);

struct CalibratedRewards {
  Tensor rewards;  // [X,A], shifted
  Tensor shift;    // scalar, the mean that was subtracted
};

// Subtracts the one number E_{x, y~cal} r from `rewards` [X,A]; `calibration_logps` [X,A].
CalibratedRewards calibrate_shift(const Tensor& rewards, const Tensor& calibration_logps,
                                  const std::optional<Tensor>& prompt_weights = std::nullopt);

// Preferences between answers of a table: `label` [N] = P(a preferred) in [0,1].
struct TablePairs {
  Tensor prompt;  // [N] i64 in [0, X)
  Tensor a;       // [N] i64 in [0, A)
  Tensor b;       // [N] i64 in [0, A)
  Tensor label;   // [N]
};

struct VpoRewardResult {
  Tensor loss;   // scalar
  Tensor nll;    // scalar, summed over the pairs
  Tensor value;  // scalar, mean_x beta log sum ref exp(r/beta) - mean_x E_cal r: blind to a shift of r
};

// The objective over a table of rewards [X,A]; the logit of a pair is scale (r_a - r_b), scale > 0.
VpoRewardResult vpo_reward_objective(const Tensor& rewards, const TablePairs& pairs, const Tensor& ref_logps,
                                     const Tensor& cal_logps, const VpoOptions& options = {},
                                     double scale = 1);

}  // namespace plaudit
