#include "plaudit/train/preference_losses.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plaudit/core/errors.h"
#include "plaudit/objective/f_divergence.h"
#include "plaudit/objective/link.h"
#include "plaudit/objective/preference_dpo.h"
#include "plaudit/objective/preference_length.h"

namespace plaudit {
namespace {

using Options = PreferenceLossOptions;
using Value = PreferenceLossValue;

// Losses on log-ratios report the implicit rewards beta log(pi/pi_ref).
Value with_implicit_rewards(const at::Tensor& losses, const PairLogps& logps, double beta) {
  const auto rewards = implicit_rewards(logps, beta);
  return {losses, rewards.chosen, rewards.rejected};
}

PairLogps maybe_per_token(const PreferenceTerms& terms, const Options& options) {
  static const Check check("preference.loss");
  if (!options.length_normalised.value_or(false)) return terms.logps;
  return per_token(check, terms.logps, terms.chosen_lengths, terms.rejected_lengths);
}

Value dpo(const PreferenceTerms& terms, const Options& options) {
  const auto logps = maybe_per_token(terms, options);
  const auto result = dpo_loss(
      logps, {.beta = options.beta.value_or(0.1), .label_smoothing = options.label_smoothing.value_or(0)});
  return {result.losses, result.chosen_rewards, result.rejected_rewards};
}

Value cdpo(const PreferenceTerms& terms, const Options& options) {
  auto conservative = options;
  conservative.label_smoothing = options.label_smoothing.value_or(0.1);
  return dpo(terms, conservative);
}

Value robust(const PreferenceTerms& terms, const Options& options) {
  const double beta = options.beta.value_or(0.1);
  const auto result =
      robust_dpo_loss(terms.logps, {.beta = beta, .label_smoothing = options.label_smoothing.value_or(0.1)});
  return with_implicit_rewards(result.losses, terms.logps, beta);
}

Value ipo(const PreferenceTerms& terms, const Options& options) {
  const double tau = options.tau.value_or(0.1);
  const auto logps = maybe_per_token(terms, options);
  return with_implicit_rewards(ipo_loss(logps, {.tau = tau}).losses, logps, tau);
}

Value hinge(const PreferenceTerms& terms, const Options& options) {
  const double beta = options.beta.value_or(0.1);
  const auto result = hinge_loss(terms.logps, {.beta = beta, .margin = options.margin.value_or(1)});
  return with_implicit_rewards(result.losses, terms.logps, beta);
}

// Reference-free: a margin of plain log-probabilities.
Value slic(const PreferenceTerms& terms, const Options& options) {
  const double beta = options.beta.value_or(1);
  const auto result =
      hinge_loss(terms.logps, {.beta = beta, .margin = options.margin.value_or(1), .reference_free = true});
  return with_implicit_rewards(result.losses, terms.logps, beta);
}

Value f_dpo(const PreferenceTerms& terms, const Options& options) {
  const double beta = options.beta.value_or(0.1), alpha = options.alpha.value_or(0.5);
  const auto kind = options.divergence.value_or("forward_kl");
  const auto& logps = terms.logps;
  const auto score = [&](const at::Tensor& policy, const at::Tensor& reference) {
    return f_divergence_score(policy - reference, kind, alpha);
  };
  const auto margin = score(logps.chosen, logps.ref_chosen) - score(logps.rejected, logps.ref_rejected);
  return with_implicit_rewards(logistic_link(beta * margin, options.label_smoothing.value_or(0)), logps,
                               beta);
}

Value simpo(const PreferenceTerms& terms, const Options& options) {
  const auto result =
      simpo_loss(terms.logps.chosen, terms.logps.rejected, terms.chosen_lengths, terms.rejected_lengths,
                 {.beta = options.beta.value_or(2),
                  .gamma_beta_ratio = options.gamma_beta_ratio.value_or(0.5),
                  .label_smoothing = options.label_smoothing.value_or(0)});
  return {result.losses, result.chosen_rewards, result.rejected_rewards};
}

Value orpo(const PreferenceTerms& terms, const Options& options) {
  const double lam = options.lam.value_or(0.1);
  const auto chosen = terms.logps.chosen / terms.chosen_lengths;
  const auto rejected = terms.logps.rejected / terms.rejected_lengths;
  const auto result = orpo_loss(chosen, rejected, -chosen, {.lam = lam});
  return {result.losses, lam * chosen.detach(), lam * rejected.detach()};
}

// DPO with the value of the policy, -beta log(pi/pi_ref) on calibration answers: added offline, where these
// are the chosen answers, taken away online, where they are those that the reference wrote. Per pair, so that
// the mean is vpo_loss.
Value vpo(const PreferenceTerms& terms, const Options& options) {
  const double beta = options.beta.value_or(0.1), alpha = options.value_weight.value_or(0.1);
  const auto plain = dpo_loss(terms.logps, {.beta = beta});
  const auto chosen = terms.logps.chosen - terms.logps.ref_chosen,
             rejected = terms.logps.rejected - terms.logps.ref_rejected;
  const bool online = options.value_mode.value_or("offline") == "online";
  const auto value =
      -beta * (online ? terms.chosen_calibrates * chosen + terms.rejected_calibrates * rejected : chosen);
  return {plain.losses + (online ? -alpha : alpha) * value, plain.chosen_rewards, plain.rejected_rewards};
}

// DPO with alpha w REG, REG = -beta sum_t reward_t log pi(y_t) over both answers and w = sigma(-margin),
// which is constant for the gradient (treg_loss).
Value t_reg(const PreferenceTerms& terms, const Options& options) {
  const double beta = options.beta.value_or(0.1), alpha = options.token_reward_weight.value_or(0.25);
  const auto plain = dpo_loss(terms.logps, {.beta = beta});
  const auto weight = at::sigmoid(plain.rejected_rewards - plain.chosen_rewards);
  const auto regulariser = -beta * (terms.chosen_credit + terms.rejected_credit);
  return {plain.losses + alpha * weight * regulariser, plain.chosen_rewards, plain.rejected_rewards};
}

RevisionLogps per_token(const RevisionLogps& r, const at::Tensor& chosen, const at::Tensor& rejected) {
  return {r.w_given_l / chosen, r.l_given_l / rejected, r.w_given_w / chosen, r.l_given_w / rejected};
}

// Real answers need the mean over tokens: a sum over many tokens swamps the target of 1/2.
Value srpo(const PreferenceTerms& terms, const Options& options) {
  static const Check check("preference.loss");
  const double beta = options.beta.value_or(0.1);
  const SrpoOptions settings{.beta = beta, .alpha = options.improve_weight.value_or(0.5)};
  if (!options.length_normalised.value_or(true))
    return with_implicit_rewards(srpo_loss(terms.logps, terms.revision, terms.ref_revision, settings).losses,
                                 terms.logps, beta);
  const auto &w = terms.chosen_lengths, &l = terms.rejected_lengths;
  const auto logps = per_token(check, terms.logps, w, l);
  const auto result =
      srpo_loss(logps, per_token(terms.revision, w, l), per_token(terms.ref_revision, w, l), settings);
  return with_implicit_rewards(result.losses, logps, beta);
}

}  // namespace

PreferenceTerms swapped(const PreferenceTerms& terms) {
  const auto& [chosen, rejected, ref_chosen, ref_rejected] = terms.logps;
  const auto turned = [](const RevisionLogps& r) -> RevisionLogps {
    return {r.l_given_w, r.w_given_w, r.l_given_l, r.w_given_l};
  };
  return {{rejected, chosen, ref_rejected, ref_chosen},
          terms.rejected_lengths,
          terms.chosen_lengths,
          terms.rejected_calibrates,
          terms.chosen_calibrates,
          terms.rejected_credit,
          terms.chosen_credit,
          turned(terms.revision),
          turned(terms.ref_revision)};
}

template <>
void describe(OptionTable<PreferenceLossOptions>& t) {
  t.field("beta", &Options::beta,
          "strength of the pull to the reference (0.1), or scale of the margin (simpo 2, slic 1)",
          greater_than(0));
  t.field("label_smoothing", &Options::label_smoothing,
          "probability that a label is wrong (dpo, f-dpo, simpo 0; cdpo, robust 0.1)", from_to_below(0, 0.5));
  t.field("tau", &Options::tau, "ipo: regularisation (0.1)", greater_than(0));
  t.field("margin", &Options::margin, "hinge, slic: where the loss reaches zero (1)");
  t.field("gamma_beta_ratio", &Options::gamma_beta_ratio, "simpo: target margin per token (0.5)");
  t.field("lam", &Options::lam, "orpo: weight of the odds ratio (0.1)", at_least(0));
  t.field("divergence", &Options::divergence, "f-dpo: divergence from the reference (forward_kl)",
          one_of({"reverse_kl", "forward_kl", "js", "alpha"}));
  t.field("alpha", &Options::alpha, "f-dpo with divergence alpha: its order (0.5)");
  t.field("length_normalised", &Options::length_normalised,
          "dpo, cdpo, ipo (false), srpo (true): divide each log-probability by the answer's tokens");
  t.field("value_weight", &Options::value_weight, "vpo: weight of the policy's value (0.1)", at_least(0));
  t.field("value_mode", &Options::value_mode,
          "vpo: offline is pessimistic (stays likely on chosen answers), online optimistic (moves away from "
          "what the reference answers) (offline)",
          one_of({"offline", "online"}));
  t.field("token_reward_weight", &Options::token_reward_weight, "t-reg: weight of the token rewards (0.25)",
          at_least(0));
  t.field("better", &Options::better, "t-reg: the instruction whose likelier tokens are rewarded");
  t.field("worse", &Options::worse, "t-reg: the instruction whose likelier tokens are penalised");
  t.field("improve_weight", &Options::improve_weight,
          "srpo: weight of the loss of revisions, the rest is that of answers (0.5)", between(0, 1));
  t.field("revise", &Options::revise, "srpo: what asks for a revision of the answer before it");
}

const std::vector<PreferenceLoss>& preference_losses() {
  static const std::vector<PreferenceLoss> table = {
      {"dpo", "direct preference optimisation", true, {"beta", "label_smoothing", "length_normalised"}, dpo},
      {"cdpo",
       "conservative DPO: labels wrong at times",
       true,
       {"beta", "label_smoothing", "length_normalised"},
       cdpo},
      {"f-dpo",
       "DPO under another divergence",
       true,
       {"beta", "label_smoothing", "divergence", "alpha"},
       f_dpo},
      {"hinge", "hinge on the DPO margin (RSO)", true, {"beta", "margin"}, hinge},
      {"ipo", "squared distance to a target margin", true, {"tau", "length_normalised"}, ipo},
      {"orpo", "likelihood and odds ratio, no reference", false, {"lam"}, orpo},
      {"robust", "unbiased DPO under a known flip rate", true, {"beta", "label_smoothing"}, robust},
      {"simpo",
       "per-token averages with a target margin, no reference",
       false,
       {"beta", "gamma_beta_ratio", "label_smoothing"},
       simpo},
      {"slic", "hinge without reference (SLiC)", false, {"beta", "margin"}, slic},
      {"srpo",
       "answers and their revisions, whoever wrote the pairs (SRPO)",
       true,
       {"beta", "improve_weight", "length_normalised", "revise"},
       srpo,
       PairExtras::revisions},
      {"t-reg",
       "DPO with token rewards that the model makes itself (T-REG)",
       true,
       {"beta", "token_reward_weight", "better", "worse"},
       t_reg,
       PairExtras::token_rewards},
      {"vpo",
       "DPO with the policy's value: pessimism offline, optimism online (VPO)",
       true,
       {"beta", "value_weight", "value_mode"},
       vpo,
       PairExtras::calibration},
  };
  return table;
}

std::vector<std::string> preference_loss_names() {
  std::vector<std::string> names;
  for (const auto& loss : preference_losses()) names.push_back(loss.name);
  return names;
}

const PreferenceLoss& find_preference_loss(const std::string& name, const PreferenceLossOptions& options) {
  const auto& table = preference_losses();
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& loss) { return loss.name == name; });
  if (found == table.end())
    fail(ErrorKind::value, "train.loss",
         "unknown value '" + name + "'" + suggestion(name, preference_loss_names()));
  const auto settings = option_table<PreferenceLossOptions>().write(options);
  for (const auto& [key, value] : settings.items()) {
    const bool used = std::find(found->uses.begin(), found->uses.end(), key) != found->uses.end();
    if (!value.is_null() && !used)
      fail(ErrorKind::value, "train." + key,
           fmt::format("is not used by the loss {}, which has: {}", name, fmt::join(found->uses, ", ")));
  }
  return *found;
}

}  // namespace plaudit
