#include "plaudit/objective/oreal.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/kl_estimator.h"

namespace plaudit {
namespace {

void check_answers(const Check& check, const OrealAnswers& a) {
  check.not_empty("rewards", a.rewards);
  check.not_empty("advantages", a.advantages);
  check_tokens(check, {{"logps", a.logps}, {"old_logps", a.old_logps}, {"ref_logps", a.ref_logps}}, a.mask,
               ValidRows::some);
  for (const auto& [name, per_row] :
       {std::pair<const char*, const Tensor*>{"rewards", &a.rewards}, {"advantages", &a.advantages}}) {
    check.dim(name, *per_row, 1);
    check.same_size("logps", a.logps, 0, name, *per_row, 0);
    check.finite(name, *per_row);
  }
  for (const auto& [name, weights] :
       {std::pair<const char*, const std::optional<Tensor>*>{"positive_weights", &a.positive_weights},
        {"negative_weights", &a.negative_weights}}) {
    if (!*weights) continue;
    check.same_shape("logps", a.logps, name, **weights);
    check.finite_where(name, **weights, a.mask);
  }
  if (readable(a.rewards) && a.rewards.abs().ne(1).any().item<bool>())
    check.refuse(ErrorKind::value, "rewards", "must be +1 or -1");
}

}  // namespace

OrealResult oreal_loss(const OrealAnswers& a, const OrealOptions& options) {
  const Check check("policy_gradient.oreal_loss");
  check_answers(check, a);
  check.choice("kl_kind", options.kl_kind, kl_estimators());
  const auto logps = keep_valid(as_real(a.logps), a.mask);
  const auto like = [&](const Tensor& x) { return as_real(x).detach().to(logps.scalar_type()); };
  const auto advantages = like(a.advantages).unsqueeze(1);
  const auto right = a.rewards.gt(0).unsqueeze(1).logical_and(valid(a.mask)),
             wrong = a.rewards.lt(0).unsqueeze(1).logical_and(valid(a.mask));
  const auto weighted = [&](const std::optional<Tensor>& weights, const Tensor& x) {
    return advantages * (weights ? keep_valid(like(*weights), a.mask) * x : x);
  };
  const auto log_ratio = logps - keep_valid(like(a.old_logps), a.mask);
  const auto ratio = log_ratio.clamp(-max_log_ratio, max_log_ratio).exp();
  const auto positive = options.positive_factor * masked_mean(weighted(a.positive_weights, -logps), right);
  const auto negative = -options.negative_factor * masked_mean(weighted(a.negative_weights, ratio), wrong);
  const auto d = keep_valid(like(a.ref_logps), a.mask) - logps;
  // k1 of the code is log ref - log pi; k2 and k3 do not differ in sign conventions.
  const auto kl =
      masked_mean(options.kl_kind == "k1" ? d : kl_terms(-d, options.kl_kind, max_log_ratio), a.mask);
  return {positive + negative + options.kl_coef * kl, positive, negative, kl};
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def(
      "oreal_loss(Tensor logps, Tensor old_logps, Tensor ref_logps, Tensor mask, Tensor rewards, Tensor "
      "advantages, "
      "Tensor? positive_weights=None, Tensor? negative_weights=None, float positive_factor=1., float "
      "negative_factor=0.5, float kl_coef=0.01, str kl_kind='k3') -> (Tensor loss, Tensor positive, Tensor "
      "negative, "
      "Tensor kl)",
      [](const Tensor& logps, const Tensor& old_logps, const Tensor& ref_logps, const Tensor& mask,
         const Tensor& rewards, const Tensor& advantages, std::optional<Tensor> positive,
         std::optional<Tensor> negative, double positive_factor, double negative_factor, double kl_coef,
         std::string kl_kind) {
        return as_tuple(oreal_loss({logps, old_logps, ref_logps, mask, rewards, advantages,
                                    std::move(positive), std::move(negative)},
                                   {positive_factor, negative_factor, kl_coef, std::move(kl_kind)}));
      },
      "Clone the correct answers, reshape the incorrect ones, stay near the reference.", {"39"});
}

}  // namespace plaudit
