#include "plaudit/objective/preference_dpo.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

namespace plaudit {
namespace {

void check_smoothing(const Check& check, double smoothing) {
  check.that(smoothing >= 0 && smoothing < 0.5, "label_smoothing", "in [0, 0.5)", smoothing);
}

// DPO on a pair that was checked.
DpoResult dpo_of(const Check& check, const PairLogps& pair, const DpoOptions& options) {
  check.that(options.beta > 0, "beta", "> 0", options.beta);
  check_smoothing(check, options.label_smoothing);
  const auto h = log_ratio_margin(pair, options.reference_free);
  const auto losses = logistic_link(options.beta * h, options.label_smoothing);
  const auto rewards = implicit_rewards(pair, options.beta);
  return {losses.mean(), losses, rewards.chosen, rewards.rejected, rewards.accuracy};
}

}  // namespace

DpoResult dpo_loss(const PairLogps& pair, const DpoOptions& options) {
  const Check check("preference.dpo_loss");
  return dpo_of(check, checked_pair(check, pair), options);
}

DpoResult dpo_norm_loss(const PairLogps& pair, const Tensor& chosen_lengths, const Tensor& rejected_lengths,
                        const DpoOptions& options) {
  const Check check("preference.dpo_norm_loss");
  return dpo_of(check, per_token(check, checked_pair(check, pair), chosen_lengths, rejected_lengths),
                options);
}

PairLoss robust_dpo_loss(const PairLogps& raw, const RobustDpoOptions& options) {
  const Check check("preference.robust_dpo_loss");
  const auto pair = checked_pair(check, raw);
  check.that(options.beta > 0, "beta", "> 0", options.beta);
  check_smoothing(check, options.label_smoothing);
  const auto losses = unbiased_logistic_link(options.beta * log_ratio_margin(pair), options.label_smoothing);
  return {losses.mean(), losses};
}

PairLoss ipo_loss(const PairLogps& raw, const IpoOptions& options) {
  const Check check("preference.ipo_loss");
  auto pair = checked_pair(check, raw);
  check.that(options.tau > 0, "tau", "> 0", options.tau);
  if (options.chosen_lengths.has_value() != options.rejected_lengths.has_value()) {
    check.refuse(ErrorKind::value, options.chosen_lengths ? "rejected_lengths" : "chosen_lengths",
                 "is missing: give the lengths of both answers or of none");
  }
  if (options.chosen_lengths)
    pair = per_token(check, pair, *options.chosen_lengths, *options.rejected_lengths);
  const auto losses = square_link(log_ratio_margin(pair), 1 / (2 * options.tau));
  return {losses.mean(), losses};
}

PairLoss hinge_loss(const PairLogps& raw, const HingeOptions& options) {
  const Check check("preference.hinge_loss");
  const auto pair = checked_pair(check, raw);
  check.that(options.beta > 0, "beta", "> 0", options.beta);
  const auto h = log_ratio_margin(pair, options.reference_free);
  const auto losses = hinge_link(options.beta * h, options.margin);
  return {losses.mean(), losses};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "dpo_loss(Tensor chosen_logps, Tensor rejected_logps, Tensor ref_chosen_logps, Tensor "
      "ref_rejected_logps, float beta=0.1, float label_smoothing=0., bool reference_free=False) -> "
      "(Tensor loss, Tensor losses, Tensor chosen_rewards, Tensor rejected_rewards, Tensor accuracy)",
      [](const Tensor& w, const Tensor& l, const Tensor& ref_w, const Tensor& ref_l, double beta,
         double smoothing, bool reference_free) {
        return as_tuple(dpo_loss({w, l, ref_w, ref_l}, {beta, smoothing, reference_free}));
      },
      "Direct preference optimisation: logistic loss on the log-ratio margin.",
      {"48", "15", "37", "53", "56"});
  m.def(
      "dpo_norm_loss(Tensor chosen_logps, Tensor rejected_logps, Tensor ref_chosen_logps, Tensor "
      "ref_rejected_logps, Tensor chosen_lengths, Tensor rejected_lengths, float beta=5., float "
      "label_smoothing=0.) -> (Tensor loss, Tensor losses, Tensor chosen_rewards, Tensor "
      "rejected_rewards, Tensor accuracy)",
      [](const Tensor& w, const Tensor& l, const Tensor& ref_w, const Tensor& ref_l, const Tensor& w_lengths,
         const Tensor& l_lengths, double beta, double smoothing) {
        return as_tuple(dpo_norm_loss({w, l, ref_w, ref_l}, w_lengths, l_lengths, {beta, smoothing, false}));
      },
      "DPO on per-token averages of the log-probabilities.", {"15"});
  m.def(
      "robust_dpo_loss(Tensor chosen_logps, Tensor rejected_logps, Tensor ref_chosen_logps, Tensor "
      "ref_rejected_logps, float beta=0.1, float label_smoothing=0.1) -> (Tensor loss, Tensor losses)",
      [](const Tensor& w, const Tensor& l, const Tensor& ref_w, const Tensor& ref_l, double beta,
         double smoothing) {
        return as_tuple(robust_dpo_loss({w, l, ref_w, ref_l}, {beta, smoothing}));
      },
      "DPO made unbiased under a known rate of flipped labels.", {"48"});
  m.def(
      "ipo_loss(Tensor chosen_logps, Tensor rejected_logps, Tensor ref_chosen_logps, Tensor "
      "ref_rejected_logps, Tensor? chosen_lengths=None, Tensor? rejected_lengths=None, float tau=0.1) -> "
      "(Tensor loss, Tensor losses)",
      [](const Tensor& w, const Tensor& l, const Tensor& ref_w, const Tensor& ref_l,
         std::optional<Tensor> w_lengths, std::optional<Tensor> l_lengths, double tau) {
        return as_tuple(ipo_loss({w, l, ref_w, ref_l}, {std::move(w_lengths), std::move(l_lengths), tau}));
      },
      "Identity preference optimisation: squared distance of the margin to 1/(2 tau).", {"48"});
  m.def(
      "hinge_loss(Tensor chosen_logps, Tensor rejected_logps, Tensor ref_chosen_logps, Tensor "
      "ref_rejected_logps, float beta=0.1, float margin=1., bool reference_free=False) -> (Tensor loss, "
      "Tensor losses)",
      [](const Tensor& w, const Tensor& l, const Tensor& ref_w, const Tensor& ref_l, double beta,
         double margin, bool reference_free) {
        return as_tuple(hinge_loss({w, l, ref_w, ref_l}, {beta, margin, reference_free}));
      },
      "Hinge loss on the log-ratio margin (RSO; SLiC when reference-free).", {"48"});
}

}  // namespace plaudit
