#include "plaudit/data/corruption.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

void check_options(const Check& check, const CorruptionOptions& options) {
  check.that(options.rate >= 0 && options.rate <= 1, "rate", "in [0, 1]", options.rate);
  check.that(options.range >= 0, "range", ">= 0", options.range);
}

}  // namespace

Corrupted corrupt_random(const Tensor& values, const Tensor& select_u, const Tensor& noise_u,
                         const std::string& kind, const CorruptionOptions& options) {
  const Check check("offline.corrupt_random");
  const std::string_view sizes = values.dim() == 1 ? "N" : "ND";
  check_arguments(check,
                  {{"values", values, sizes}, {"select_u", select_u, "N"}, {"noise_u", noise_u, sizes}});
  check.range("select_u", select_u, 0, 1);
  check.range("noise_u", noise_u, 0, 1);
  check.choice("kind", kind, {"observations", "actions", "next_observations", "rewards"});
  check_options(check, options);
  const auto x = as_real(values), noise = 2 * as_real(noise_u) - 1;
  const auto wrong = kind == "rewards" ? 30 * options.range * noise
                                       : x + options.range * noise * x.std(0, /*unbiased=*/false);
  const auto hit = as_real(select_u) < options.rate;
  return {at::where(values.dim() == 1 ? hit : hit.unsqueeze(1), wrong, x), hit.nonzero().squeeze(1)};
}

Tensor corrupt_reward_adversarial(const Tensor& rewards, const Tensor& select_u,
                                  const CorruptionOptions& options) {
  const Check check("offline.corrupt_reward_adversarial");
  check_arguments(check, {{"rewards", rewards, "N"}, {"select_u", select_u, "N"}});
  check.range("select_u", select_u, 0, 1);
  check_options(check, options);
  const auto r = as_real(rewards);
  return at::where(as_real(select_u) < options.rate, -options.range * r, r);
}

Tensor pgd_attack(const Tensor& values, const Tensor& noise_u, const Tensor& std,
                  const ValueGradient& gradient, const AttackOptions& options) {
  const Check check("offline.pgd_attack");
  check_arguments(check, {{"values", values, "ND"}, {"noise_u", noise_u, "ND"}, {"std", std, "D"}});
  check.range("noise_u", noise_u, 0, 1);
  check.that(options.range >= 0, "range", ">= 0", options.range);
  check.that(options.steps >= 0, "steps", ">= 0", options.steps);
  check.that(options.lr > 0, "lr", "> 0", options.lr);
  const auto x = as_real(values);
  auto shift = 2 * options.range * std * (as_real(noise_u) - 0.5);
  for (int64_t i = 0; i < options.steps; ++i) {
    const auto direction = (gradient(x + shift * std) * std).sign();  // by the shift in deviations
    shift = (shift - options.lr * options.range * direction).clamp(-options.range, options.range);
  }
  // Multiplied and added at the end, as the attack returns values and not shifts.
  return x + shift * std;
}

Tensor pgd_attack_linear(const Tensor& values, const Tensor& noise_u, const Tensor& weight,
                         const AttackOptions& options) {
  const Check check("offline.pgd_attack_linear");
  check_arguments(check, {{"values", values, "ND"}, {"noise_u", noise_u, "ND"}, {"weight", weight, "D"}});
  const auto slope = as_real(weight);
  return pgd_attack(
      values, noise_u, as_real(values).std(0, /*unbiased=*/false), [&](const Tensor&) { return slope; },
      options);
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def(
      "corrupt_random(Tensor values, Tensor select_u, Tensor noise_u, str kind, float rate=0.3, float "
      "range=1.) -> "
      "(Tensor values, Tensor selected)",
      [](const Tensor& values, const Tensor& select, const Tensor& noise, const std::string& kind,
         double rate, double range) {
        return as_tuple(corrupt_random(values, select, noise, kind, {rate, range}));
      },
      "Random corruption of a share of the rows.", {"05"});
  m.def(
      "corrupt_reward_adversarial(Tensor rewards, Tensor select_u, float rate=0.3, float range=1.) -> "
      "(Tensor "
      "values)",
      [](const Tensor& rewards, const Tensor& select, double rate, double range) {
        return corrupt_reward_adversarial(rewards, select, {rate, range});
      },
      "Rewards turned against the learner in a share of the rows.", {"05"});
  m.def(
      "pgd_attack_linear(Tensor values, Tensor noise_u, Tensor weight, float range=1., int steps=100, float "
      "lr=0.01) -> (Tensor values)",
      [](const Tensor& values, const Tensor& noise, const Tensor& weight, double range, int64_t steps,
         double lr) {
        return pgd_attack_linear(values, noise, weight, {range, steps, lr});
      },
      "The adversarial corruption of states or actions under a linear critic.", {"05"});
}

}  // namespace plaudit
