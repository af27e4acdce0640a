#include "plaudit/objective/adversarial.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

struct Windows {
  Tensor z;        // [B,W] summed log-ratios
  Tensor counted;  // [B,W] bool
};

Windows windows_of(const ScoredPaths& paths, std::optional<int64_t> window) {
  const auto steps = paths.mask.size(1), size = std::min(window.value_or(steps), steps);
  const auto padding = (size - steps % size) % size;
  const auto cut = [&](const Tensor& x) {
    return at::constant_pad_nd(x, {0, padding}).reshape({x.size(0), -1, size});
  };
  const auto l = as_real(paths.logps);
  const auto ratio = keep_valid(l - as_real(paths.generator_logps).detach().to(l.scalar_type()), paths.mask);
  return {cut(ratio).sum(2), cut(valid(paths.mask)).any(2)};
}

Tensor counted_sum(const Tensor& losses, const Tensor& counted) {
  return at::where(counted, losses, at::zeros_like(losses)).sum();
}

}  // namespace

Tensor asaf_loss(const ScoredPaths& expert, const ScoredPaths& policy, std::optional<int64_t> window) {
  const Check check("contrastive.asaf_loss");
  check_tokens(check, {{"expert_logps", expert.logps}, {"expert_generator_logps", expert.generator_logps}},
               expert.mask, ValidRows::some, "expert_mask");
  check_tokens(check, {{"policy_logps", policy.logps}, {"policy_generator_logps", policy.generator_logps}},
               policy.mask, ValidRows::some, "policy_mask");
  if (window) check.that(*window >= 1, "window", ">= 1", *window);
  const auto e = windows_of(expert, window), p = windows_of(policy, window);
  const auto sum = counted_sum(at::softplus(-e.z), e.counted) + counted_sum(at::softplus(p.z), p.counted);
  return sum / (e.counted.sum() + p.counted.sum());
}

PLAUDIT_FUNCTIONS(contrastive, m) {
  m.def(
      "asaf_loss(Tensor expert_logps, Tensor expert_generator_logps, Tensor expert_mask, Tensor "
      "policy_logps, "
      "Tensor policy_generator_logps, Tensor policy_mask, int? window=None) -> (Tensor loss)",
      [](const Tensor& expert, const Tensor& expert_generator, const Tensor& expert_mask,
         const Tensor& policy, const Tensor& policy_generator, const Tensor& policy_mask,
         std::optional<int64_t> window) {
        return asaf_loss({expert, expert_generator, expert_mask}, {policy, policy_generator, policy_mask},
                         window);
      },
      "Discriminator loss whose optimum is the expert's policy.", {"26"});
}

}  // namespace plaudit
