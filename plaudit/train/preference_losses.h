// The losses that preference training chooses from by name: dpo, cdpo, ipo, hinge, slic, robust, simpo, orpo
// and others. A loss is one function and one line, in this file's source or in one of its own:
//
//   PreferenceLossValue my_loss(const PreferenceTerms& terms, const PreferenceLossOptions& options) {...}
//   PLAUDIT_PREFERENCE_LOSS(my_loss, "what it is", .uses = {"beta"});
//
// and `objective: my-loss` trains with it, `plaudit list losses` lists it and the function
// `preference.pair_loss` computes it. docs/add-a-method.md goes through it step by step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/objective/preference_margin.h"
#include "plaudit/objective/srpo.h"

namespace plaudit {

// What a loss may use; the log-probabilities of the policy carry the gradient. All [B]. The last three are
// there for losses that ask for them.
struct PreferenceTerms {
  PairLogps logps;                              // sums over the counted tokens; references 0 where free
  at::Tensor chosen_lengths, rejected_lengths;  // counted tokens
  // Calibration: how much each answer counts as a draw of the calibration policy.
  at::Tensor chosen_calibrates = {}, rejected_calibrates = {};
  // Token rewards: sum_t reward_t log pi(y_t) of each answer.
  at::Tensor chosen_credit = {}, rejected_credit = {};
  // Revisions: each answer as a revision of each.
  RevisionLogps revision = {}, ref_revision = {};
};

// The pair with its answers exchanged.
PreferenceTerms swapped(const PreferenceTerms& terms);

// Settings of the losses. One that is set but not used by the chosen loss is refused; one that is not set
// takes the loss's own default.
struct PreferenceLossOptions {
  std::optional<double> beta = {};
  std::optional<double> label_smoothing = {};
  std::optional<double> tau = {};
  std::optional<double> margin = {};
  std::optional<double> gamma_beta_ratio = {};
  std::optional<double> lam = {};
  std::optional<std::string> divergence = {};
  std::optional<double> alpha = {};
  std::optional<bool> length_normalised = {};
  std::optional<double> value_weight = {};
  std::optional<std::string> value_mode = {};
  std::optional<double> token_reward_weight = {};
  std::optional<std::string> base_loss = {}, token_weighting = {};
  std::optional<std::string> better = {}, worse = {};
  std::optional<double> improve_weight = {};
  std::optional<std::string> revise = {};
};

template <>
void describe(OptionTable<PreferenceLossOptions>& table);

// Losses [B] of one batch. Rewards of the two answers [B], detached, for the metrics.
struct PreferenceLossValue {
  at::Tensor losses;
  at::Tensor chosen_rewards, rejected_rewards;
};

// What a loss needs of a pair besides the log-probabilities of its answers.
enum class PairExtras {
  none,
  calibration,    // which answers the reference wrote
  token_rewards,  // made by the reference under contrasting instructions (train/contrast_rewards.h)
  revisions       // each answer as a revision of each
};

// `losses` with the implicit rewards beta log(pi/pi_ref), as losses on log-ratios report them.
PreferenceLossValue with_implicit_rewards(const at::Tensor& losses, const PairLogps& logps, double beta);

struct PreferenceLossTraits {
  bool needs_reference = true;         // with settings as they are by default
  std::vector<std::string> uses = {};  // keys of PreferenceLossOptions
  PairExtras extras = PairExtras::none;
  // Refuses settings that contradict each other (UserError naming the key), and says whether the loss needs a
  // reference with these; null: any go together, and needs_reference holds.
  bool (*reference_with)(const PreferenceLossOptions&) = nullptr;
};

// A pure function of the terms, without state: it is called from several threads.
using PreferenceLossFunction = PreferenceLossValue (*)(const PreferenceTerms&, const PreferenceLossOptions&);

struct PreferenceLoss {
  std::string name;
  std::string doc;
  bool needs_reference = true;
  std::vector<std::string> uses;
  PreferenceLossFunction compute;
  PairExtras extras = PairExtras::none;
  bool (*reference_with)(const PreferenceLossOptions&) = nullptr;

  bool uses_reference(const PreferenceLossOptions& options) const {
    return reference_with ? reference_with(options) : needs_reference;
  }
};

// All of them, sorted by name.
const std::vector<PreferenceLoss>& preference_losses();
std::vector<std::string> preference_loss_names();

// The loss of that name. UserErrors (value): an unknown name, with the nearest one; an option that is set but
// not used by this loss, or not with its other settings.
const PreferenceLoss& find_preference_loss(const std::string& name, const PreferenceLossOptions& options);

// The loss of that name on checked terms, with its settings as the text of a JSON object; registered as
// preference.pair_loss. UserErrors: those of find_preference_loss, checked_pair and checked_lengths; a
// setting of a wrong type (type) or out of range (value); a loss with extras (value).
PreferenceLossValue pair_loss(const std::string& name, const PreferenceTerms& terms,
                              const std::string& settings);

namespace detail {
// Before main() only. `identifier` with '-' for '_' is the name; a name that is taken is our own bug.
bool register_preference_loss(const std::string& identifier, const std::string& doc,
                              PreferenceLossTraits traits, PreferenceLossFunction compute);
}  // namespace detail

}  // namespace plaudit

// Registers the function of that name; what follows the doc line are fields of PreferenceLossTraits.
#define PLAUDIT_PREFERENCE_LOSS(function, doc, ...)                                        \
  static const bool plaudit_loss_##function = ::plaudit::detail::register_preference_loss( \
      #function, doc, ::plaudit::PreferenceLossTraits{__VA_ARGS__}, &function)
