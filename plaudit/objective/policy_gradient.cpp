#include "plaudit/objective/policy_gradient.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/kl_estimator.h"

namespace plaudit {
namespace {

struct Surrogate {
  Tensor losses;   // like the advantages, 0 under the mask
  Tensor clipped;  // bool: the clipped term is strictly larger
};

void check_clip(const Check& check, const ClipRange& clip) {
  check.that(clip.low > 0, "clip", "> 0", clip.low);
  if (clip.high) check.that(*clip.high > 0, "clip_high", "> 0", *clip.high);
  if (clip.dual_clip) check.that(*clip.dual_clip > 1, "dual_clip", "> 1", *clip.dual_clip);
}

// The pessimistic of the plain and the clipped importance-weighted loss.
Surrogate clipped_surrogate(const Tensor& log_ratio, const Tensor& advantages, const ClipRange& clip) {
  const auto ratio = log_ratio.clamp(-max_log_ratio, max_log_ratio).exp();
  const auto plain = -advantages * ratio;
  const auto limited = -advantages * ratio.clamp(1 - clip.low, 1 + clip.high.value_or(clip.low));
  auto losses = at::maximum(plain, limited);
  if (clip.dual_clip) {
    const auto ceiling = -*clip.dual_clip * advantages;
    losses = at::where(advantages < 0, at::minimum(losses, ceiling), losses);
  }
  return {losses, limited > plain};
}

Tensor share(const Tensor& flags, const Tensor& mask, at::ScalarType type) {
  return masked_mean(flags.to(type), mask);
}

}  // namespace

PpoClipResult ppo_clip_loss(const Tensor& logps, const Tensor& old_logps, const Tensor& advantages,
                            const Tensor& mask, const PpoClipOptions& options) {
  const Check check("policy_gradient.ppo_clip_loss");
  check_tokens(check, {{"logps", logps}, {"old_logps", old_logps}, {"advantages", advantages}}, mask,
               ValidRows::some);
  if (options.weights) {
    check.dim("weights", *options.weights, 1);
    check.same_size("logps", logps, 0, "weights", *options.weights, 0);
    check.finite("weights", *options.weights);
  }
  check_clip(check, options.clip);
  check_reduction(check, options.reduction);

  const auto d = keep_valid(as_real(logps) - as_real(old_logps), mask);
  const auto s = clipped_surrogate(d, keep_valid(as_real(advantages), mask), options.clip);
  const auto losses = options.weights ? s.losses * as_real(*options.weights).unsqueeze(1) : s.losses;
  return {reduce_tokens(losses, mask, options.reduction), share(s.clipped, mask, d.scalar_type()),
          masked_mean(d.detach().square() / 2, mask)};
}

Tensor ppo_value_loss(const Tensor& values, const Tensor& old_values, const Tensor& returns,
                      const Tensor& mask, std::optional<double> clip) {
  const Check check("policy_gradient.ppo_value_loss");
  check_tokens(check, {{"values", values}, {"old_values", old_values}, {"returns", returns}}, mask,
               ValidRows::some);
  if (clip) check.that(*clip > 0, "clip", "> 0 or none", *clip);
  const auto v = keep_valid(as_real(values), mask), g = keep_valid(as_real(returns), mask);
  auto squares = (v - g).square();
  if (clip) {
    const auto old = keep_valid(as_real(old_values), mask);
    squares = at::maximum(squares, (old + (v - old).clamp(-*clip, *clip) - g).square());
  }
  return masked_mean(squares, mask) / 2;
}

GrpoResult grpo_loss(const Tensor& logps, const Tensor& old_logps, const Tensor& ref_logps,
                     const Tensor& advantages, const Tensor& mask, const GrpoOptions& options) {
  const Check check("policy_gradient.grpo_loss");
  check.not_empty("advantages", advantages);
  check_tokens(check, {{"logps", logps}, {"old_logps", old_logps}, {"ref_logps", ref_logps}}, mask,
               ValidRows::some);
  check.dim("advantages", advantages, 1);
  check.same_size("logps", logps, 0, "advantages", advantages, 0);
  check.finite("advantages", advantages);
  check_clip(check, options.clip);
  check.that(options.beta >= 0, "beta", ">= 0", options.beta);
  check_reduction(check, options.reduction);

  const auto policy = as_real(logps);
  const auto d = keep_valid(policy - as_real(old_logps), mask);
  const auto s = clipped_surrogate(d, as_real(advantages).unsqueeze(1).expand_as(d), options.clip);
  const auto policy_loss = reduce_tokens(s.losses, mask, options.reduction);
  const auto to_reference = keep_valid(policy - as_real(ref_logps), mask);
  const auto kl = reduce_tokens(kl_terms(to_reference, "k3", max_log_ratio), mask, options.reduction);
  return {policy_loss + options.beta * kl, policy_loss, kl, share(s.clipped, mask, d.scalar_type())};
}

double adaptive_kl(double coef, double current, double target, double horizon, int64_t n_steps) {
  const Check check("policy_gradient.adaptive_kl");
  check.that(coef >= 0, "coef", ">= 0", coef);
  check.that(target > 0, "target", "> 0", target);
  check.that(horizon > 0, "horizon", "> 0", horizon);
  check.that(n_steps >= 0, "n_steps", ">= 0", n_steps);
  if (!std::isfinite(current)) check.refuse(ErrorKind::nan, "current", "is NaN or infinite");
  const double error = std::clamp(current / target - 1, -0.2, 0.2);
  return coef * (1 + error * static_cast<double>(n_steps) / horizon);
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def(
      "ppo_clip_loss(Tensor logps, Tensor old_logps, Tensor advantages, Tensor mask, float clip=0.2, "
      "float? clip_high=None, float? dual_clip=None, str reduction='token_mean', Tensor? weights=None) "
      "-> (Tensor loss, Tensor clip_fraction, Tensor approx_kl)",
      [](const Tensor& logps, const Tensor& old_logps, const Tensor& advantages, const Tensor& mask,
         double clip, std::optional<double> clip_high, std::optional<double> dual_clip, std::string reduction,
         std::optional<Tensor> weights) {
        return as_tuple(ppo_clip_loss(
            logps, old_logps, advantages, mask,
            {{clip, clip_high, dual_clip}, {std::move(reduction), std::nullopt}, std::move(weights)}));
      },
      "PPO's clipped surrogate.", {"15", "30"});
  m.def(
      "ppo_value_loss(Tensor values, Tensor old_values, Tensor returns, Tensor mask, float? clip=0.2) -> "
      "(Tensor loss)",
      &ppo_value_loss, "PPO's clipped squared error of the value function.", {"15", "30"});
  m.def(
      "grpo_loss(Tensor logps, Tensor old_logps, Tensor ref_logps, Tensor advantages, Tensor mask, float "
      "clip=0.2, float? clip_high=None, float beta=0.04, str reduction='sequence_mean', int? "
      "max_length=None) -> (Tensor loss, Tensor policy_loss, Tensor kl, Tensor clip_fraction)",
      [](const Tensor& logps, const Tensor& old_logps, const Tensor& ref_logps, const Tensor& advantages,
         const Tensor& mask, double clip, std::optional<double> clip_high, double beta, std::string reduction,
         std::optional<int64_t> max_length) {
        return as_tuple(
            grpo_loss(logps, old_logps, ref_logps, advantages, mask,
                      {{clip, clip_high, std::nullopt}, beta, {std::move(reduction), max_length}}));
      },
      "GRPO: the clipped surrogate with one advantage per answer, plus a KL to the reference.", {"30", "54"});
  m.def(
      "adaptive_kl(float coef, float current, float target=6., float horizon=10000., int n_steps=1) -> "
      "(float coef)",
      &adaptive_kl, "The KL coefficient that steers the KL to a target.", {"30"});
}

}  // namespace plaudit
