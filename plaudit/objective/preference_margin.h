// The margin of a preference pair, as the log-ratio losses see it.
//
//   h = [log pi(y_w) - log pi_ref(y_w)] - [log pi(y_l) - log pi_ref(y_l)]
//
// The step k of a robot segment or of a denoising chain may stand where the token of a reply does: only sums
// of log-probabilities are seen here.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

// Summed log-probabilities of the better and the worse answer under the policy and the reference, each [B].
struct PairLogps {
  Tensor chosen;
  Tensor rejected;
  Tensor ref_chosen;
  Tensor ref_rejected;
};

// What every loss reports: `loss` is the mean of `losses` [B].
struct PairLoss {
  Tensor loss;
  Tensor losses;
};

// The four [B] tensors in a floating type of at least f32. UserErrors, named chosen_logps, rejected_logps,
// ref_chosen_logps, ref_rejected_logps: empty batch (empty), unequal shapes (shape), NaN or infinity (nan).
PairLogps checked_pair(const Check& check, const PairLogps& pair);

// Each log-probability divided by the number of its tokens, [B] > 0 (kind value); the log-ratios become
// means.
PairLogps per_token(const Check& check, const PairLogps& pair, const Tensor& chosen_lengths,
                    const Tensor& rejected_lengths);

// h [B]; without the reference when `reference_free`.
Tensor log_ratio_margin(const PairLogps& pair, bool reference_free = false);

// beta times the log-ratio of the chosen and of the rejected answer, detached: what the tuned policy implies
// as a reward, up to a constant per prompt.
struct ImplicitRewards {
  Tensor chosen;
  Tensor rejected;
  Tensor accuracy;  // share of pairs with chosen > rejected; a tie is not correct
};
ImplicitRewards implicit_rewards(const PairLogps& pair, double beta);

// A count of tokens per answer, [B] > 0, as a floating tensor.
Tensor checked_lengths(const Check& check, std::string_view name, const Tensor& lengths,
                       std::string_view like_name, const Tensor& like);

}  // namespace plaudit
