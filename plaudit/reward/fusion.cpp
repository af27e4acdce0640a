#include "plaudit/reward/fusion.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"

namespace plaudit {

Tensor reward_fusion(const Tensor& rewards, const Tensor& neighbour_rewards, const Tensor& similarities,
                     const FusionOptions& options) {
  const Check check("reward.fusion");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 1);
  check.dim("neighbour_rewards", neighbour_rewards, 2);
  check.same_size("rewards", rewards, 0, "neighbour_rewards", neighbour_rewards, 0);
  check.same_shape("neighbour_rewards", neighbour_rewards, "similarities", similarities);
  check.finite("rewards", rewards);
  check.finite("neighbour_rewards", neighbour_rewards);
  check.finite("similarities", similarities);
  check.that(options.top_k >= 0, "top_k", ">= 0", options.top_k);
  const auto s = as_real(similarities);
  const auto nearest = s.argsort(/*stable=*/true, 1, /*descending=*/true).slice(1, 0, options.top_k);
  const auto chosen = s.gather(1, nearest);
  const auto weight = keep_valid(chosen.clamp_min(0), chosen.ge(options.threshold));
  const auto near = as_real(neighbour_rewards).gather(1, nearest);
  return (as_real(rewards) + (weight * near).sum(1)) / (1 + weight.sum(1));
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "fusion(Tensor rewards, Tensor neighbour_rewards, Tensor similarities, int top_k=5, float "
      "threshold=0.9) "
      "-> (Tensor fused)",
      [](const Tensor& rewards, const Tensor& neighbours, const Tensor& similarities, int64_t top_k,
         double threshold) {
        return reward_fusion(rewards, neighbours, similarities, {top_k, threshold});
      },
      "Reward averaged with those of similar training texts.", {"47"});
}

}  // namespace plaudit
