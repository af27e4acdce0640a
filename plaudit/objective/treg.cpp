#include "plaudit/objective/treg.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

// -sum_t reward_t log pi(y_t), [B].
Tensor negative_credit(const Tensor& logps, const Tensor& token_rewards, const Tensor& mask) {
  const auto kept = keep_valid(as_real(logps), mask);
  return -(keep_valid(token_rewards.detach(), mask) * kept).sum(1);
}

struct TregNames {
  std::string_view logps, ref_logps, mask, token_rewards;
};

void check_side(const Check& check, const TokenAnswers& side, const TregNames& names, bool reference) {
  check.not_empty(names.ref_logps, side.ref_logps);
  check_tokens(check, {{names.logps, side.logps}, {names.token_rewards, side.token_rewards}}, side.mask,
               ValidRows::every, names.mask);
  check.same_shape(names.logps, side.logps, names.ref_logps, side.ref_logps);
  if (reference) check.finite_where(names.ref_logps, side.ref_logps, side.mask);
}

// What one side brings to the loss: its implied reward and its regulariser, [B].
struct Side {
  Tensor reward;
  Tensor reg;
};

Side side_of(const TokenAnswers& answers, const TregOptions& options) {
  const auto logps = keep_valid(as_real(answers.logps), answers.mask);
  const auto credit = negative_credit(answers.logps, answers.token_rewards, answers.mask);
  if (options.base == "dpo") {
    const auto ref = keep_valid(as_real(answers.ref_logps), answers.mask);
    return {options.beta * (logps - ref).sum(1), options.beta * credit};
  }
  const auto scale = options.beta / valid(answers.mask).sum(1).to(logps.scalar_type());
  return {scale * logps.sum(1), scale * credit};
}

}  // namespace

Tensor contrast_token_rewards(const Tensor& better_logps, const Tensor& worse_logps, const Tensor& mask) {
  const Check check("reward.contrast_token_rewards");
  check_tokens(check, {{"better_logps", better_logps}, {"worse_logps", worse_logps}}, mask, ValidRows::some);
  const auto difference = keep_valid(as_real(better_logps), mask) - keep_valid(as_real(worse_logps), mask);
  return 0.5 * at::tanh(difference / 2);  // sigma(d) - 1/2 without cancellation; 0 under the mask
}

Tensor token_reward_regularizer(const Tensor& logps, const Tensor& token_rewards, const Tensor& mask,
                                double beta) {
  const Check check("preference.token_reward_regularizer");
  check_tokens(check, {{"logps", logps}, {"token_rewards", token_rewards}}, mask, ValidRows::some);
  check.that(beta > 0, "beta", "> 0", beta);
  return beta * negative_credit(logps, token_rewards, mask);
}

TregResult treg_loss(const TokenAnswers& chosen, const TokenAnswers& rejected, const TregOptions& options) {
  const Check check("preference.treg_loss");
  const bool reference = options.base != "simpo";
  check_side(check, chosen, {"chosen_logps", "ref_chosen_logps", "chosen_mask", "chosen_token_rewards"},
             reference);
  check_side(check, rejected,
             {"rejected_logps", "ref_rejected_logps", "rejected_mask", "rejected_token_rewards"}, reference);
  check.same_size("chosen_logps", chosen.logps, 0, "rejected_logps", rejected.logps, 0);
  check.that(options.beta > 0, "beta", "> 0", options.beta);
  check.that(options.alpha >= 0, "alpha", ">= 0", options.alpha);
  check.choice("base", options.base, {"dpo", "simpo"});
  check.that(std::isfinite(options.gamma_beta_ratio), "gamma_beta_ratio", "finite", options.gamma_beta_ratio);
  check.choice("weighting", options.weighting, {"sequence", "static"});
  const auto w = side_of(chosen, options), l = side_of(rejected, options);
  auto margin = w.reward - l.reward;
  if (!reference) margin = margin - options.beta * options.gamma_beta_ratio;
  const auto base = logistic_link(margin);
  const auto weights =
      options.weighting == "sequence" ? at::sigmoid(-margin.detach()) : at::full_like(margin.detach(), 0.5);
  const auto losses = base + options.alpha * weights * (w.reg + l.reg);
  return {losses.mean(), losses, base, weights, w.reg, l.reg};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "contrast_token_rewards(Tensor better_logps, Tensor worse_logps, Tensor mask) -> (Tensor "
      "token_rewards)",
      &contrast_token_rewards, "Token rewards from a better and a worse prompt.", {"53"});
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "token_reward_regularizer(Tensor logps, Tensor token_rewards, Tensor mask, float beta=0.1) -> (Tensor "
      "reg)",
      &token_reward_regularizer, "Token rewards times log-probabilities, negated.", {"53"});
  m.def(
      "treg_loss(Tensor chosen_logps, Tensor rejected_logps, Tensor ref_chosen_logps, Tensor "
      "ref_rejected_logps, Tensor chosen_mask, Tensor rejected_mask, Tensor chosen_token_rewards, Tensor "
      "rejected_token_rewards, float beta=0.1, float alpha=0.25, str base='dpo', float gamma_beta_ratio=0.5, "
      "str weighting='sequence') -> (Tensor loss, Tensor losses, Tensor base_losses, Tensor weights, Tensor "
      "reg_chosen, Tensor reg_rejected)",
      [](const Tensor& w, const Tensor& l, const Tensor& ref_w, const Tensor& ref_l, const Tensor& mask_w,
         const Tensor& mask_l, const Tensor& rewards_w, const Tensor& rewards_l, double beta, double alpha,
         std::string base, double ratio, std::string weighting) {
        return as_tuple(treg_loss({w, ref_w, mask_w, rewards_w}, {l, ref_l, mask_l, rewards_l},
                                  {beta, alpha, std::move(base), ratio, std::move(weighting)}));
      },
      "Preference optimisation with token-level reward regularisation.", {"53"});
}

}  // namespace plaudit
