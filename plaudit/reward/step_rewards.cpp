#include "plaudit/reward/step_rewards.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

Tensor step_clip(const Tensor& step_rewards, const Tensor& mask, double eta) {
  const Check check("reward.step_clip");
  check_tokens(check, {{"step_rewards", step_rewards}}, mask, ValidRows::some);
  check.that(std::isfinite(eta), "eta", "finite", eta);
  return keep_valid((keep_valid(as_real(step_rewards), mask) - eta).clamp_max(0), mask);
}

StepDelta step_delta(const Tensor& step_rewards, const Tensor& mask) {
  const Check check("reward.step_delta");
  check_tokens(check, {{"step_rewards", step_rewards}}, mask, ValidRows::every_left_aligned);
  // With the last step at 0, each difference to the next step is the reward and the sum telescopes.
  const auto next_valid = at::constant_pad_nd(valid(mask).slice(1, 1), {0, 1});
  const auto returns = keep_valid(as_real(step_rewards), next_valid);
  return {returns - at::constant_pad_nd(returns.slice(1, 1), {0, 1}), returns};
}

Tensor step_normalize(const Tensor& step_rewards, const Tensor& mask) {
  const Check check("reward.step_normalize");
  check_tokens(check, {{"step_rewards", step_rewards}}, mask, ValidRows::some);
  return keep_valid(as_real(step_rewards), mask) / valid(mask).sum(1, true).clamp_min(1);
}

Tensor dense_success(const Tensor& step_rewards, const Tensor& step_mask, const Tensor& step_ends,
                     const Tensor& success, const Tensor& mask, double alpha) {
  const Check check("reward.dense_success");
  check.not_empty("mask", mask);
  check.not_empty("success", success);
  check.not_empty("step_rewards", step_rewards);
  check.dim("step_rewards", step_rewards, 2);
  check.same_shape("step_rewards", step_rewards, "step_mask", step_mask);
  check.same_shape("step_rewards", step_rewards, "step_ends", step_ends);
  check.dim("mask", mask, 2);
  check.same_size("step_rewards", step_rewards, 0, "mask", mask, 0);
  check.dim("success", success, 1);
  check.same_size("step_rewards", step_rewards, 0, "success", success, 0);
  if (step_ends.is_floating_point()) check.refuse(ErrorKind::type, "step_ends", "must hold integers");
  check_rows(check, mask, ValidRows::every);
  check.finite_where("step_rewards", step_rewards, step_mask);
  check.finite("success", success);
  check.that(std::isfinite(alpha), "alpha", "finite", alpha);

  const auto ends = keep_valid(step_ends, step_mask);
  check.index_range("step_ends", ends, 0, mask.size(1));
  const auto tokens = valid(mask);
  if (readable(mask) && tokens.gather(1, ends).logical_not().logical_and(valid(step_mask)).any().item<bool>())
    check.refuse(ErrorKind::value, "step_ends", "must point at valid tokens");

  const auto steps = alpha * keep_valid(as_real(step_rewards), step_mask);
  const auto position = at::arange(mask.size(1), ends.options());
  const auto last = at::where(tokens, position, 0).amax(1, true);
  return at::zeros(mask.sizes(), steps.options())
      .scatter_add(1, ends, steps)
      .scatter_add(1, last, as_real(success).to(steps.scalar_type()).unsqueeze(1));
}

Tensor step_labels(const Tensor& successes, int64_t completions, const std::string& mode) {
  const Check check("reward.step_labels");
  check.not_empty("successes", successes);
  check.finite("successes", successes);
  check.that(completions >= 1, "completions", ">= 1", completions);
  check.range("successes", successes, 0, static_cast<double>(completions));
  check.choice("mode", mode, {"hard", "soft"});
  const auto counts = as_real(successes);
  return mode == "hard" ? counts.gt(0).to(counts.scalar_type()) : counts / static_cast<double>(completions);
}

Tensor step_bce_loss(const Tensor& logits, const Tensor& labels, const Tensor& mask) {
  const Check check("reward.step_bce_loss");
  check_tokens(check, {{"logits", logits}, {"labels", labels}}, mask, ValidRows::some);
  const auto z = keep_valid(as_real(logits), mask);
  const auto target = keep_valid(as_real(labels).to(z.scalar_type()), mask);
  check.range("labels", target, 0, 1);
  // softplus(z) - y z is -y log sigma(z) - (1-y) log sigma(-z).
  return masked_mean(at::binary_cross_entropy_with_logits(z, target, {}, {}, at::Reduction::None), mask);
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("step_clip(Tensor step_rewards, Tensor mask, float eta) -> (Tensor rewards)", &step_clip,
        "Step scores above eta earn nothing, those below are punished.", {"04"});
  m.def(
      "step_delta(Tensor step_rewards, Tensor mask) -> (Tensor rewards, Tensor returns)",
      [](const Tensor& step_rewards, const Tensor& mask) { return as_tuple(step_delta(step_rewards, mask)); },
      "Differences of step scores, whose return is the score of the step itself.", {"04"});
  m.def("step_normalize(Tensor step_rewards, Tensor mask) -> (Tensor rewards)", &step_normalize,
        "Step scores divided by the number of steps.", {"04"});
  m.def(
      "dense_success(Tensor step_rewards, Tensor step_mask, Tensor step_ends, Tensor success, Tensor mask, "
      "float "
      "alpha) -> (Tensor rewards)",
      &dense_success, "Token rewards from step rewards and the success of the whole answer.", {"04"});
  m.def("step_labels(Tensor successes, int completions=8, str mode='hard') -> (Tensor labels)", &step_labels,
        "Labels of solution prefixes from the completions that succeeded.", {"04"});
  m.def("step_bce_loss(Tensor logits, Tensor labels, Tensor mask) -> (Tensor loss)", &step_bce_loss,
        "Binary cross-entropy of step scores.", {"04"});
}

}  // namespace plaudit
