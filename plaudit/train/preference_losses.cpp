#include "plaudit/train/preference_losses.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plaudit/core/checks.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/registry.h"
#include "plaudit/objective/f_divergence.h"
#include "plaudit/objective/link.h"
#include "plaudit/objective/preference_dpo.h"
#include "plaudit/objective/preference_length.h"

namespace plaudit {
namespace {

using Options = PreferenceLossOptions;
using Value = PreferenceLossValue;

// Function-local: losses in other files may register before this file's statics are made.
std::vector<PreferenceLoss>& mutable_losses() {
  static std::vector<PreferenceLoss> list;
  return list;
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
PLAUDIT_PREFERENCE_LOSS(dpo, "direct preference optimisation",
                        .uses = {"beta", "label_smoothing", "length_normalised"});

Value cdpo(const PreferenceTerms& terms, const Options& options) {
  auto conservative = options;
  conservative.label_smoothing = options.label_smoothing.value_or(0.1);
  return dpo(terms, conservative);
}
PLAUDIT_PREFERENCE_LOSS(cdpo, "conservative DPO: labels wrong at times",
                        .uses = {"beta", "label_smoothing", "length_normalised"});

Value robust(const PreferenceTerms& terms, const Options& options) {
  const double beta = options.beta.value_or(0.1);
  const auto result =
      robust_dpo_loss(terms.logps, {.beta = beta, .label_smoothing = options.label_smoothing.value_or(0.1)});
  return with_implicit_rewards(result.losses, terms.logps, beta);
}
PLAUDIT_PREFERENCE_LOSS(robust, "unbiased DPO under a known flip rate", .uses = {"beta", "label_smoothing"});

Value ipo(const PreferenceTerms& terms, const Options& options) {
  const double tau = options.tau.value_or(0.1);
  const auto logps = maybe_per_token(terms, options);
  return with_implicit_rewards(ipo_loss(logps, {.tau = tau}).losses, logps, tau);
}
PLAUDIT_PREFERENCE_LOSS(ipo, "squared distance to a target margin", .uses = {"tau", "length_normalised"});

Value hinge(const PreferenceTerms& terms, const Options& options) {
  const double beta = options.beta.value_or(0.1);
  const auto result = hinge_loss(terms.logps, {.beta = beta, .margin = options.margin.value_or(1)});
  return with_implicit_rewards(result.losses, terms.logps, beta);
}
PLAUDIT_PREFERENCE_LOSS(hinge, "hinge on the DPO margin (RSO)", .uses = {"beta", "margin"});

// Reference-free: a margin of plain log-probabilities.
Value slic(const PreferenceTerms& terms, const Options& options) {
  const double beta = options.beta.value_or(1);
  const auto result =
      hinge_loss(terms.logps, {.beta = beta, .margin = options.margin.value_or(1), .reference_free = true});
  return with_implicit_rewards(result.losses, terms.logps, beta);
}
PLAUDIT_PREFERENCE_LOSS(slic, "hinge without reference (SLiC)", .needs_reference = false,
                        .uses = {"beta", "margin"});

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
PLAUDIT_PREFERENCE_LOSS(f_dpo, "DPO under another divergence",
                        .uses = {"beta", "label_smoothing", "divergence", "alpha"});

Value simpo(const PreferenceTerms& terms, const Options& options) {
  const auto result =
      simpo_loss(terms.logps.chosen, terms.logps.rejected, terms.chosen_lengths, terms.rejected_lengths,
                 {.beta = options.beta.value_or(2),
                  .gamma_beta_ratio = options.gamma_beta_ratio.value_or(0.5),
                  .label_smoothing = options.label_smoothing.value_or(0)});
  return {result.losses, result.chosen_rewards, result.rejected_rewards};
}
PLAUDIT_PREFERENCE_LOSS(simpo, "per-token averages with a target margin, no reference",
                        .needs_reference = false, .uses = {"beta", "gamma_beta_ratio", "label_smoothing"});

Value orpo(const PreferenceTerms& terms, const Options& options) {
  const double lam = options.lam.value_or(0.1);
  const auto chosen = terms.logps.chosen / terms.chosen_lengths;
  const auto rejected = terms.logps.rejected / terms.rejected_lengths;
  const auto result = orpo_loss(chosen, rejected, -chosen, {.lam = lam});
  return {result.losses, lam * chosen.detach(), lam * rejected.detach()};
}
PLAUDIT_PREFERENCE_LOSS(orpo, "likelihood and odds ratio, no reference", .needs_reference = false,
                        .uses = {"lam"});

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
PLAUDIT_PREFERENCE_LOSS(vpo, "DPO with the policy's value: pessimism offline, optimism online (VPO)",
                        .uses = {"beta", "value_weight", "value_mode"}, .extras = PairExtras::calibration);

bool is_simpo_based(const Options& options) {
  return options.base_loss.value_or("dpo") == "simpo";
}

// Adds alpha w REG, REG = -beta `credit` and w = sigma(-(margin of the rewards - target)) or, static, 1/2,
// which is constant for the gradient.
Value add_token_rewards(Value value, const at::Tensor& credit, double beta, double target,
                        const Options& options) {
  const double alpha = options.token_reward_weight.value_or(0.25);
  const auto short_of = value.rejected_rewards - value.chosen_rewards + target;
  const auto weight = options.token_weighting.value_or("sequence") == "static" ? at::full_like(short_of, 0.5)
                                                                               : at::sigmoid(short_of);
  value.losses = value.losses - alpha * beta * weight * credit;
  return value;
}

// DPO, or SimPO, with REG = -beta sum_t reward_t log pi(y_t) over both answers, per token where the base loss
// is (treg_loss).
Value t_reg(const PreferenceTerms& terms, const Options& options) {
  if (is_simpo_based(options)) {
    const double beta = options.beta.value_or(2), target = beta * options.gamma_beta_ratio.value_or(0.5);
    const auto credit =
        terms.chosen_credit / terms.chosen_lengths + terms.rejected_credit / terms.rejected_lengths;
    return add_token_rewards(simpo(terms, options), credit, beta, target, options);
  }
  const double beta = options.beta.value_or(0.1);
  const auto plain = dpo_loss(terms.logps, {.beta = beta});
  auto value = Value{plain.losses, plain.chosen_rewards, plain.rejected_rewards};
  return add_token_rewards(std::move(value), terms.chosen_credit + terms.rejected_credit, beta, 0, options);
}

bool t_reg_reference(const Options& options) {
  const bool on_simpo = is_simpo_based(options);
  if (!on_simpo && options.gamma_beta_ratio)
    fail(ErrorKind::value, "train.gamma_beta_ratio", "is not used with base_loss dpo, only with simpo");
  return !on_simpo;
}
PLAUDIT_PREFERENCE_LOSS(t_reg, "DPO or SimPO with token rewards that the model makes itself (T-REG)",
                        .uses = {"beta", "token_reward_weight", "base_loss", "gamma_beta_ratio",
                                 "token_weighting", "better", "worse"},
                        .extras = PairExtras::token_rewards, .reference_with = t_reg_reference);

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
PLAUDIT_PREFERENCE_LOSS(srpo, "answers and their revisions, whoever wrote the pairs (SRPO)",
                        .uses = {"beta", "improve_weight", "length_normalised", "revise"},
                        .extras = PairExtras::revisions);

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
  t.field(
      "beta", &Options::beta,
      "strength of the pull to the reference (0.1), or scale of the margin (simpo and t-reg on it 2, slic 1)",
      greater_than(0));
  t.field("label_smoothing", &Options::label_smoothing,
          "probability that a label is wrong (dpo, f-dpo, simpo 0; cdpo, robust 0.1)", from_to_below(0, 0.5));
  t.field("tau", &Options::tau, "ipo: regularisation (0.1)", greater_than(0));
  t.field("margin", &Options::margin, "hinge, slic: where the loss reaches zero (1)");
  t.field("gamma_beta_ratio", &Options::gamma_beta_ratio,
          "simpo, and t-reg on it: target margin per token (0.5)");
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
  t.field("base_loss", &Options::base_loss,
          "t-reg: the loss that token rewards are added to; simpo needs no reference (dpo)",
          one_of({"dpo", "simpo"}));
  t.field("token_weighting", &Options::token_weighting,
          "t-reg: weight of a pair's token rewards besides: sequence, how far its margin falls short, or "
          "static, 1/2, with which they never fade: stop early (sequence)",
          one_of({"sequence", "static"}));
  t.field("better", &Options::better, "t-reg: the instruction whose likelier tokens are rewarded");
  t.field("worse", &Options::worse, "t-reg: the instruction whose likelier tokens are penalised");
  t.field("improve_weight", &Options::improve_weight,
          "srpo: weight of the loss of revisions, the rest is that of answers (0.5)", between(0, 1));
  t.field("revise", &Options::revise, "srpo: what asks for a revision of the answer before it");
}

const std::vector<PreferenceLoss>& preference_losses() {
  return mutable_losses();
}

bool detail::register_preference_loss(const std::string& identifier, const std::string& doc,
                                      PreferenceLossTraits traits, PreferenceLossFunction compute) {
  auto name = identifier;
  std::replace(name.begin(), name.end(), '_', '-');
  auto& list = mutable_losses();
  const auto place = std::lower_bound(list.begin(), list.end(), name,
                                      [](const auto& loss, const auto& key) { return loss.name < key; });
  if (place != list.end() && place->name == name) bug("train.loss", "two losses are named " + name);
  list.insert(place, {name, doc, traits.needs_reference, std::move(traits.uses), compute, traits.extras,
                      traits.reference_with});
  return true;
}

Value with_implicit_rewards(const at::Tensor& losses, const PairLogps& logps, double beta) {
  const auto rewards = implicit_rewards(logps, beta);
  return {losses, rewards.chosen, rewards.rejected};
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
  found->uses_reference(options);  // refuses what contradicts itself
  return *found;
}

PreferenceLossValue pair_loss(const std::string& name, const PreferenceTerms& terms,
                              const std::string& settings) {
  const Check check("preference.pair_loss");
  YAML::Node node;
  try {
    node = YAML::Load(settings);
  } catch (const YAML::Exception&) {
    check.refuse(ErrorKind::type, "settings", "must be a JSON object, got " + settings);
  }
  const auto options = read_options<PreferenceLossOptions>(node, {"preference.pair_loss", "settings"});
  const auto& loss = find_preference_loss(name, options);
  if (loss.extras != PairExtras::none)
    check.refuse(
        ErrorKind::value, "name",
        "'" + name + "' needs more of a pair than its log-probabilities: use the function of its own");
  const auto& logps = terms.logps;
  return loss.compute(
      {checked_pair(check, logps),
       checked_lengths(check, "chosen_lengths", terms.chosen_lengths, "chosen_logps", logps.chosen),
       checked_lengths(check, "rejected_lengths", terms.rejected_lengths, "rejected_logps", logps.rejected)},
      options);
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "pair_loss(str name, Tensor chosen_logps, Tensor rejected_logps, Tensor ref_chosen_logps, Tensor "
      "ref_rejected_logps, Tensor chosen_lengths, Tensor rejected_lengths, str settings='{}') -> (Tensor "
      "loss, "
      "Tensor losses, Tensor chosen_rewards, Tensor rejected_rewards)",
      [](const std::string& name, const at::Tensor& w, const at::Tensor& l, const at::Tensor& ref_w,
         const at::Tensor& ref_l, const at::Tensor& w_lengths, const at::Tensor& l_lengths,
         const std::string& settings) {
        const auto value = pair_loss(name, {{w, l, ref_w, ref_l}, w_lengths, l_lengths}, settings);
        return std::tuple(value.losses.mean(), value.losses, value.chosen_rewards, value.rejected_rewards);
      },
      "The loss that a recipe's `train` stage computes under that name, with its settings.", {"48"});
}

}  // namespace plaudit
