// One step of preference training, whatever was compared: answers of a language model (train/preference.h),
// segments of control, chains of denoising steps. Who knows the log-probabilities of what was compared under
// policy and reference has here every loss that is registered (preference_losses.h), soft labels, weights and
// metrics, as the StepLoss of an Objective that train() minimises.
//
//   StepLoss loss(const std::vector<int64_t>& examples) override {
//     const auto terms = segment_terms({logps(a), logps(b), a.mask, b.mask}, reference_logps);
//     return preference_step(find_preference_loss("dpo", settings), settings, terms, labels, weights);
//   }
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plaudit/objective/cpl.h"
#include "plaudit/train/loop.h"
#include "plaudit/train/preference_losses.h"

namespace plaudit {

// The terms of pairs of segments from the log-probability of every step, [B,T]; the first segment of a pair
// stands where the chosen answer does, lengths are valid steps. Log-densities of continuous actions will do,
// for losses of log-ratios (dpo and its kin) and of averages (simpo); orpo needs probabilities. Without a
// reference its log-probabilities count as 0. What lies under a mask is never read. UserErrors: empty, shape,
// nan; empty, too, for a segment without a valid step.
PreferenceTerms segment_terms(const SegmentLogps& policy,
                              const std::optional<SegmentLogps>& reference = std::nullopt);

// The sum of weighted losses with the weight that it sums over, and the metrics of preference_metric_names().
// `labels` [B] in [0,1]: a pair with label p counts as p parts of it and 1-p parts of it turned round, so 1
// is "the chosen one", 0 "the other one" and 1/2 a tie. `weights` [B] multiply the losses. `sft_weight` adds
// that times the chosen one's negative log-likelihood per step. `has_reference` says whether the metric kl is
// known. Extras (PairExtras) that the loss asks for must be in `terms`. UserError (shape): labels or weights
// that are not [B].
StepLoss preference_step(const PreferenceLoss& loss, const PreferenceLossOptions& settings,
                         const PreferenceTerms& terms, const at::Tensor& labels, const at::Tensor& weights,
                         bool has_reference = true, double sft_weight = 0);

// kl, logps/chosen, logps/rejected, rewards/accuracy (strict; labels of 1/2 left out), rewards/chosen,
// rewards/margin, rewards/rejected.
std::vector<std::string> preference_metric_names();

}  // namespace plaudit
