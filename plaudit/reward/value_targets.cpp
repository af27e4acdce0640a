#include "plaudit/reward/value_targets.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"

namespace plaudit {

Tensor kl_regularized_reward(const Tensor& rewards, const Tensor& logps, const Tensor& ref_logps,
                             const Tensor& mask, double beta) {
  const Check check("reward.kl_regularized");
  check.not_empty("rewards", rewards);
  check_tokens(check, {{"logps", logps}, {"ref_logps", ref_logps}}, mask, ValidRows::some);
  check.dim("rewards", rewards, 1);
  check.same_size("logps", logps, 0, "rewards", rewards, 0);
  check.finite("rewards", rewards);
  check.that(beta >= 0, "beta", ">= 0", beta);
  const auto l = as_real(logps);
  const auto kl = masked_sum(l - as_real(ref_logps).to(l.scalar_type()), mask, 1);
  return as_real(rewards).to(l.scalar_type()) - beta * kl;
}

Tensor value_regression_loss(const Tensor& values, const Tensor& returns, const Tensor& mask) {
  const Check check("reward.value_regression_loss");
  check_tokens(check, {{"values", values}, {"returns", returns}}, mask, ValidRows::some);
  const auto v = keep_valid(as_real(values), mask);
  const auto g = keep_valid(as_real(returns).detach().to(v.scalar_type()), mask);
  return masked_mean((v - g).square(), mask) / 2;
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "kl_regularized(Tensor rewards, Tensor logps, Tensor ref_logps, Tensor mask, float beta) -> (Tensor "
      "rewards)",
      &kl_regularized_reward, "Rewards minus the log-ratio of the answer to the reference.", {"41"});
  m.def("value_regression_loss(Tensor values, Tensor returns, Tensor mask) -> (Tensor loss)",
        &value_regression_loss, "Half the mean squared error of values.", {"42"});
}

}  // namespace plaudit
