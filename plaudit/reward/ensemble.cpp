#include "plaudit/reward/ensemble.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

EnsembleReward ensemble_aggregate(const Tensor& rewards, const EnsembleOptions& options) {
  const Check check("reward.ensemble_aggregate");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 2);
  check.finite("rewards", rewards);
  check.choice("mode", options.mode, {"mean", "worst", "uncertainty"});
  check.that(options.weight >= 0, "weight", ">= 0", options.weight);
  check.that(!options.unbiased || rewards.size(0) >= 2, "unbiased", "false for a single member", true);
  const auto r = as_real(rewards);
  const auto mean = r.mean(0), variance = r.var(0, options.unbiased);
  if (options.mode == "worst") return {r.amin(0), variance};
  return {options.mode == "mean" ? mean : mean - options.weight * variance, variance};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "ensemble_aggregate(Tensor rewards, str mode='mean', float weight=0.5, bool unbiased=False) -> (Tensor "
      "rewards, Tensor variance)",
      [](const Tensor& rewards, std::string mode, double weight, bool unbiased) {
        return as_tuple(ensemble_aggregate(rewards, {std::move(mode), weight, unbiased}));
      },
      "Mean, least or uncertainty-penalised reward of an ensemble.", {"40"});
}

}  // namespace plaudit
