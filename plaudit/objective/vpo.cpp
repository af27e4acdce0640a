#include "plaudit/objective/vpo.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

namespace plaudit {
namespace {

void check_vpo(const Check& check, const VpoOptions& options) {
  check.that(options.beta > 0, "beta", "> 0", options.beta);
  check.that(options.alpha >= 0, "alpha", ">= 0", options.alpha);
  check.choice("mode", options.mode, {"offline", "online"});
}

Tensor with_value(const Tensor& loss, const Tensor& value, const VpoOptions& options) {
  return loss + (options.mode == "offline" ? options.alpha : -options.alpha) * value;
}

void check_weights_shape(const Check& check, const std::optional<Tensor>& weights, const Tensor& rewards) {
  if (!weights) return;
  check.dim("prompt_weights", *weights, 1);
  check.same_size("rewards", rewards, 0, "prompt_weights", *weights, 0);
  check.finite("prompt_weights", *weights);
}

void check_weights(const Check& check, const std::optional<Tensor>& weights) {
  if (!weights || !readable(*weights)) return;
  const auto w = as_real(*weights);
  const auto least = w.min().item<double>(), total = w.sum().item<double>();
  const double tolerance = w.scalar_type() == at::kDouble ? 1e-9 : 1e-6;
  check.that(least >= 0, "prompt_weights", ">= 0", least);
  check.that(std::abs(total - 1) <= tolerance, "prompt_weights", "a law that sums to 1", total);
}

Tensor weighted_mean(const Tensor& per_prompt, const std::optional<Tensor>& weights) {
  return weights ? (per_prompt * weights->to(per_prompt.scalar_type())).sum() : per_prompt.mean();
}

Tensor soft_values(const Tensor& rewards, const Tensor& ref_logps, double beta) {
  return beta * (ref_logps + rewards / beta).logsumexp(1);
}

}  // namespace

VpoResult vpo_loss(const PairLogps& raw, const Tensor& cal_logps, const Tensor& cal_ref_logps,
                   const VpoOptions& options) {
  const Check check("preference.vpo_loss");
  check.not_empty("cal_logps", cal_logps);
  check.not_empty("cal_ref_logps", cal_ref_logps);
  const auto pair = checked_pair(check, raw);
  check.alike({{"cal_logps", cal_logps}, {"cal_ref_logps", cal_ref_logps}}, 1);
  check_vpo(check, options);
  const auto dpo = logistic_link(options.beta * log_ratio_margin(pair)).mean();
  const auto value = -options.beta * (as_real(cal_logps) - as_real(cal_ref_logps)).mean();
  return {with_value(dpo, value, options), dpo, value};
}

KlRegularizedValue kl_regularized_value(const Tensor& rewards, const Tensor& ref_logps, double beta,
                                        const std::optional<Tensor>& prompt_weights) {
  const Check check("preference.kl_regularized_value");
  check.alike({{"rewards", rewards}, {"ref_logps", ref_logps}}, 2);
  check_weights_shape(check, prompt_weights, rewards);
  check_weights(check, prompt_weights);
  check.that(beta > 0, "beta", "> 0", beta);
  const auto per_prompt = soft_values(as_real(rewards), as_real(ref_logps), beta);
  return {weighted_mean(per_prompt, prompt_weights), per_prompt};
}

CalibratedRewards calibrate_shift(const Tensor& rewards, const Tensor& calibration_logps,
                                  const std::optional<Tensor>& prompt_weights) {
  const Check check("reward.calibrate_shift");
  check.alike({{"rewards", rewards}, {"calibration_logps", calibration_logps}}, 2);
  check_weights_shape(check, prompt_weights, rewards);
  check_weights(check, prompt_weights);
  const auto r = as_real(rewards);
  const auto shift = weighted_mean((as_real(calibration_logps).exp() * r).sum(1), prompt_weights);
  return {r - shift, shift};
}

VpoRewardResult vpo_reward_objective(const Tensor& rewards, const TablePairs& pairs, const Tensor& ref_logps,
                                     const Tensor& cal_logps, const VpoOptions& options, double scale) {
  const Check check("preference.vpo_reward_objective");
  check.not_empty("rewards", rewards);
  const std::initializer_list<NamedTensor> columns = {
      {"prompt", pairs.prompt}, {"a", pairs.a}, {"b", pairs.b}, {"label", pairs.label}};
  for (const auto& t : columns) check.not_empty(t.name, t.value);
  check.alike({{"rewards", rewards}, {"ref_logps", ref_logps}, {"cal_logps", cal_logps}}, 2);
  check.dim("prompt", pairs.prompt, 1);
  for (const auto& t : columns) check.same_shape("prompt", pairs.prompt, t.name, t.value);
  check.finite("label", pairs.label);
  check.index_range("prompt", pairs.prompt, 0, rewards.size(0));
  check.index_range("a", pairs.a, 0, rewards.size(1));
  check.index_range("b", pairs.b, 0, rewards.size(1));
  check.range("label", pairs.label, 0, 1);
  check_vpo(check, options);
  check.that(scale > 0, "scale", "> 0", scale);
  const auto r = as_real(rewards);
  const auto row = pairs.prompt.to(at::kLong) * r.size(1);
  const auto of = [&](const Tensor& answer) {
    return r.reshape(-1).index_select(0, row + answer.to(at::kLong));
  };
  const auto margin = scale * (of(pairs.a) - of(pairs.b));
  const auto nll = logistic_link(margin, 1 - pairs.label.to(margin.scalar_type())).sum();
  const auto value =
      soft_values(r, as_real(ref_logps), options.beta).mean() - (as_real(cal_logps).exp() * r).sum(1).mean();
  return {with_value(nll, value, options), nll, value};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "vpo_loss(Tensor chosen_logps, Tensor rejected_logps, Tensor ref_chosen_logps, Tensor "
      "ref_rejected_logps, Tensor cal_logps, Tensor cal_ref_logps, float beta=0.1, float alpha=0.1, str "
      "mode='offline') -> (Tensor loss, Tensor dpo_loss, Tensor value)",
      [](const Tensor& w, const Tensor& l, const Tensor& ref_w, const Tensor& ref_l, const Tensor& cal,
         const Tensor& cal_ref, double beta, double alpha, std::string mode) {
        return as_tuple(vpo_loss({w, l, ref_w, ref_l}, cal, cal_ref, {beta, alpha, std::move(mode)}));
      },
      "DPO with a signed value term: optimistic online, pessimistic offline.", {"37"});
  m.def(
      "kl_regularized_value(Tensor rewards, Tensor ref_logps, float beta=0.1, Tensor? prompt_weights=None) "
      "-> "
      "(Tensor value, Tensor per_prompt)",
      [](const Tensor& rewards, const Tensor& ref, double beta, const std::optional<Tensor>& weights) {
        return as_tuple(kl_regularized_value(rewards, ref, beta, weights));
      },
      "Best value of reward minus beta KL to a reference.", {"37"});
  m.def(
      "vpo_reward_objective(Tensor rewards, Tensor prompt, Tensor a, Tensor b, Tensor label, Tensor "
      "ref_logps, "
      "Tensor cal_logps, float beta=0.1, float alpha=0.1, str mode='offline', float scale=1.) -> (Tensor "
      "loss, Tensor nll, Tensor value)",
      [](const Tensor& rewards, const Tensor& prompt, const Tensor& a, const Tensor& b, const Tensor& label,
         const Tensor& ref, const Tensor& cal, double beta, double alpha, std::string mode, double scale) {
        return as_tuple(vpo_reward_objective(rewards, {prompt, a, b, label}, ref, cal,
                                             {beta, alpha, std::move(mode)}, scale));
      },
      "Value-incentivised likelihood of preferences over a table of rewards.", {"37"});
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "calibrate_shift(Tensor rewards, Tensor calibration_logps, Tensor? prompt_weights=None) -> (Tensor "
      "rewards, Tensor shift)",
      [](const Tensor& rewards, const Tensor& cal, const std::optional<Tensor>& weights) {
        return as_tuple(calibrate_shift(rewards, cal, weights));
      },
      "Rewards shifted to mean zero under a calibration law.", {"37"});
}

}  // namespace plaudit
