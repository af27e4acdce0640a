#include "plaudit/objective/inverse_q.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

// The names of a group of arguments in messages.
struct Names {
  std::string_view logits, mask, terminal;
};

void check_values(const Check& check, const Names& names, const Tensor& logits, const Tensor& mask,
                  const Tensor& terminal, const Tensor& actions) {
  const std::initializer_list<ShapedTensor> arguments = {{names.logits, logits, "BTV"},
                                                         {"actions", actions, "BT"},
                                                         {names.mask, mask, "BT"},
                                                         {names.terminal, terminal, "B"}};
  check_not_empty(check, arguments);
  check_sizes(check, arguments);
  check_tokens(check, {{names.mask, mask}}, mask, ValidRows::left_aligned, names.mask);
  check.finite_where(names.logits, logits, mask.unsqueeze(2).expand_as(logits));
}

void check_inverse_q(const Check& check, double lam, double gamma) {
  check.that(lam >= 0, "lam", ">= 0", lam);
  check.that(gamma > 0 && gamma <= 1, "gamma", "in (0, 1]", gamma);
}

struct Values {
  Tensor logits;   // [B,T,V], 0 under the mask
  Tensor v, next;  // [B,T], 0 under the mask
  Tensor td_mask;  // [B,T]
};

Values values_of(const Tensor& logits, const Tensor& mask, const Tensor& terminal) {
  const auto kept = valid(mask);
  const auto x = keep_valid(as_real(logits), kept.unsqueeze(2));
  const auto v = keep_valid(x.logsumexp(2), kept);
  const auto next = at::constant_pad_nd(v.slice(1, 1), {0, 1});
  const auto last = is_last_valid(mask);
  return {x, v, next, kept.logical_and(last.logical_not().logical_or(terminal.ne(0).unsqueeze(1)))};
}

Tensor taken(const Values& values, const Tensor& actions, const Tensor& mask) {
  const auto index = keep_valid(actions, mask).to(at::kLong).unsqueeze(2);
  return keep_valid(values.logits.gather(2, index).squeeze(2), mask);
}

void check_choices(const Check& check, const TokenChoices& c) {
  check_values(check, {"logits", "mask", "terminal"}, c.logits, c.mask, c.terminal, c.actions);
  check.index_range("actions", keep_valid(c.actions, c.mask), 0, c.logits.size(2));
}

}  // namespace

IqRewards iq_rewards(const TokenChoices& c, double gamma) {
  const Check check("reward.iq_rewards");
  check_choices(check, c);
  check_inverse_q(check, 0, gamma);
  const auto values = values_of(c.logits, c.mask, c.terminal);
  const auto q = taken(values, c.actions, c.mask);
  return {keep_valid(q - gamma * values.next, values.td_mask), values.td_mask, q, values.v};
}

IqLoss iq_td_mle_loss(const TokenChoices& c, const IqOptions& options) {
  const Check check("offline.iq_td_mle_loss");
  check_choices(check, c);
  check_inverse_q(check, options.lam, options.gamma);
  const auto values = values_of(c.logits, c.mask, c.terminal);
  const auto q = taken(values, c.actions, c.mask);
  const auto nll = masked_mean(values.v - q, c.mask);
  const auto rewards = keep_valid(q - options.gamma * values.next, values.td_mask);
  const auto td = rewards.square().sum() / valid(c.mask).sum();
  return {nll + options.lam * td, nll, td};
}

IqOnlineLoss iq_online_loss(const TokenChoices& expert, const ModelSamples& samples,
                            const IqOnlineOptions& options) {
  const Check check("offline.iq_online_loss");
  check_choices(check, expert);
  check_values(check, {"sample_logits", "sample_mask", "sample_terminal"}, samples.logits, samples.mask,
               samples.terminal, Tensor());
  check_inverse_q(check, options.lam, options.gamma);
  check.that(options.mix >= 0 && options.mix <= 1, "mix", "in [0, 1]", options.mix);
  const auto ours = values_of(expert.logits, expert.mask, expert.terminal);
  const auto theirs = values_of(samples.logits, samples.mask, samples.terminal);
  const auto rewards = taken(ours, expert.actions, expert.mask) - options.gamma * ours.next;
  const auto value = [&](const Values& x) { return masked_mean(x.v - options.gamma * x.next, x.td_mask); };
  const auto reward_term = -masked_mean(rewards, ours.td_mask),
             td = masked_mean(rewards.square(), ours.td_mask);
  const auto expert_value = value(ours), sample_value = value(theirs);
  const auto loss =
      reward_term + options.lam * td + (1 - options.mix) * expert_value + options.mix * sample_value;
  return {loss, reward_term, td, expert_value, sample_value};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "iq_rewards(Tensor logits, Tensor actions, Tensor mask, Tensor terminal, float gamma=1.) -> (Tensor "
      "rewards, "
      "Tensor td_mask, Tensor q, Tensor v)",
      [](const Tensor& logits, const Tensor& actions, const Tensor& mask, const Tensor& terminal,
         double gamma) {
        return as_tuple(iq_rewards({logits, actions, mask, terminal}, gamma));
      },
      "The token rewards that a language model's logits imply.", {"12"});
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def(
      "iq_td_mle_loss(Tensor logits, Tensor actions, Tensor mask, Tensor terminal, float lam=0.1, float "
      "gamma=1.) -> "
      "(Tensor loss, Tensor nll, Tensor td)",
      [](const Tensor& logits, const Tensor& actions, const Tensor& mask, const Tensor& terminal, double lam,
         double gamma) {
        return as_tuple(iq_td_mle_loss({logits, actions, mask, terminal}, {lam, gamma}));
      },
      "Maximum likelihood with a Bellman regulariser.", {"12"});
  m.def(
      "iq_online_loss(Tensor logits, Tensor actions, Tensor mask, Tensor terminal, Tensor sample_logits, "
      "Tensor "
      "sample_mask, Tensor sample_terminal, float lam=0.1, float gamma=1., float mix=0.1) -> (Tensor loss, "
      "Tensor "
      "reward_term, Tensor td, Tensor expert_value, Tensor sample_value)",
      [](const Tensor& logits, const Tensor& actions, const Tensor& mask, const Tensor& terminal,
         const Tensor& sample_logits, const Tensor& sample_mask, const Tensor& sample_terminal, double lam,
         double gamma, double mix) {
        return as_tuple(iq_online_loss({logits, actions, mask, terminal},
                                       {sample_logits, sample_mask, sample_terminal}, {lam, gamma, mix}));
      },
      "Inverse soft-Q learning with samples of the model.", {"12"});
}

}  // namespace plaudit
