#include "plaudit/objective/sequence_policy.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

// A [B] companion of [B,T] tokens.
void check_per_row(const Check& check, std::string_view name, const Tensor& value, const Tensor& logps) {
  check.not_empty(name, value);
  check.dim(name, value, 1);
  check.same_size("logps", logps, 0, name, value, 0);
  check.finite(name, value);
}

Tensor clipped(const Tensor& ratio, std::optional<double> clip) {
  return clip ? ratio.clamp(1 - *clip, 1 + *clip) : ratio;
}

SequenceLoss of_rows(const Tensor& losses) {
  return {losses.mean(), losses};
}

}  // namespace

Tensor sequence_advantage(const Tensor& rewards, const Tensor& values, bool clamp) {
  const Check check("advantage.sequence_advantage");
  check_arguments(check, {{"rewards", rewards, "B"}, {"values", values, "B"}});
  const auto advantages = as_real(rewards) - as_real(values);
  return clamp ? advantages.clamp_min(0) : advantages;
}

AlolLoss alol_loss(const Tensor& logps, const Tensor& ref_logps, const Tensor& mask, const Tensor& advantages,
                   const AlolOptions& options) {
  const Check check("offline.alol_loss");
  check_tokens(check, {{"logps", logps}, {"ref_logps", ref_logps}}, mask, ValidRows::some);
  check_per_row(check, "advantages", advantages, logps);
  check.choice("variant", options.variant, {"ref_free", "alol", "seq", "kl"});
  if (options.clip) check.that(*options.clip > 0 && *options.clip <= 1, "clip", "in (0, 1]", *options.clip);
  check.that(options.kl_beta >= 0, "kl_beta", ">= 0", options.kl_beta);

  const auto logp = keep_valid(as_real(logps), mask), ref = keep_valid(as_real(ref_logps), mask);
  const auto advantage = as_real(advantages).detach().clamp_min(0);
  const auto log_ratio = logp - ref;
  auto importance = at::ones_like(advantage);
  Tensor losses;
  if (options.variant == "seq") {
    importance = keep_valid(clipped(log_ratio.detach().exp(), options.clip), mask);
    losses = advantage * -(importance * logp).sum(1);
  } else {
    if (options.variant == "alol") importance = clipped(log_ratio.detach().sum(1).exp(), options.clip);
    losses = advantage * importance * -logp.sum(1);
    if (options.variant == "kl") losses = losses + options.kl_beta * log_ratio.sum(1);
  }
  return {losses.mean(), losses, importance};
}

SequenceLoss weighted_nll_loss(const Tensor& logps, const Tensor& mask, const Tensor& weights) {
  const Check check("offline.weighted_nll_loss");
  check_tokens(check, {{"logps", logps}}, mask, ValidRows::some);
  check_per_row(check, "weights", weights, logps);
  return of_rows(as_real(weights) * -keep_valid(as_real(logps), mask).sum(1));
}

SequenceLoss gold_loss(const Tensor& logps, const Tensor& mask, const Tensor& rewards, double floor) {
  const Check check("offline.gold_loss");
  check_tokens(check, {{"logps", logps}}, mask, ValidRows::some);
  check_per_row(check, "rewards", rewards, logps);
  check.that(floor >= 0 && floor <= 1, "floor", "in [0, 1]", floor);
  const auto logp = keep_valid(as_real(logps), mask);
  const auto weight = logp.detach().exp().clamp_min(floor);
  return of_rows(as_real(rewards) * -(weight * logp).sum(1));
}

PLAUDIT_FUNCTIONS(advantage, m) {
  m.def("sequence_advantage(Tensor rewards, Tensor values, bool clamp=True) -> (Tensor advantages)",
        &sequence_advantage, "The advantage of a whole answer.", {"45"});
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def(
      "alol_loss(Tensor logps, Tensor ref_logps, Tensor mask, Tensor advantages, str variant='ref_free', "
      "float? "
      "clip=0.9, float kl_beta=0.1) -> (Tensor loss, Tensor losses, Tensor importance)",
      [](const Tensor& logps, const Tensor& ref_logps, const Tensor& mask, const Tensor& advantages,
         std::string variant, std::optional<double> clip, double kl_beta) {
        return as_tuple(alol_loss(logps, ref_logps, mask, advantages, {std::move(variant), clip, kl_beta}));
      },
      "Advantage leftover lunch: offline policy gradient on positive advantages.", {"45"});
  m.def("weighted_nll_loss(Tensor logps, Tensor mask, Tensor weights) -> (Tensor loss, Tensor losses)",
        [](const Tensor& logps, const Tensor& mask, const Tensor& weights) {
          return as_tuple(weighted_nll_loss(logps, mask, weights));
        },
        "Negative log-likelihood with one weight per answer.", {"45", "21"});
  m.def(
      "gold_loss(Tensor logps, Tensor mask, Tensor rewards, float floor=0.1) -> (Tensor loss, Tensor losses)",
      [](const Tensor& logps, const Tensor& mask, const Tensor& rewards, double floor) {
        return as_tuple(gold_loss(logps, mask, rewards, floor));
      },
      "GOLD: likelihood weighted by the policy's own probability.", {"45"});
}

}  // namespace plaudit
