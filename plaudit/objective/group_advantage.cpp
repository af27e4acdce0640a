#include "plaudit/objective/group_advantage.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/objective/groups.h"

namespace plaudit {

Tensor group_relative(const Tensor& rewards, const Tensor& group, const GroupRelativeOptions& options) {
  const Check check("advantage.group_relative");
  check_grouped(check, rewards, group);
  check.that(options.eps >= 0, "eps", ">= 0", options.eps);
  const auto r = as_real(rewards);
  const GroupSums sum(group);
  const auto count = sum(at::ones_like(r));
  const auto centred = r - sum(r) / count;
  if (!options.normalize_std) return centred;
  const auto freedom = options.unbiased ? (count - 1).clamp_min(1) : count;
  const auto deviation = at::sqrt(sum(centred.square()) / freedom) + options.eps;
  // Equal rewards are 0/0 when eps is 0; they say nothing, hence 0.
  return at::where(deviation > 0, centred / deviation, 0.0);
}

Tensor leave_one_out(const Tensor& rewards, const Tensor& group) {
  const Check check("advantage.leave_one_out");
  check_grouped(check, rewards, group);
  const auto r = as_real(rewards);
  const GroupSums sum(group);
  const auto count = sum(at::ones_like(r));
  // R - (S - R)/(n-1) = (n R - S)/(n-1), which is 0 for a group of one.
  return (count * r - sum(r)) / (count - 1).clamp_min(1);
}

PLAUDIT_FUNCTIONS(advantage, m) {
  m.def(
      "group_relative(Tensor rewards, Tensor group, bool normalize_std=True, float eps=0.0001, bool "
      "unbiased=True) -> (Tensor advantages)",
      [](const Tensor& rewards, const Tensor& group, bool normalize_std, double eps, bool unbiased) {
        return group_relative(rewards, group, {normalize_std, eps, unbiased});
      },
      "Rewards standardised within the answers to one prompt (GRPO).", {"30", "54"});
  m.def("leave_one_out(Tensor rewards, Tensor group) -> (Tensor advantages)", &leave_one_out,
        "Rewards less the mean of the other answers to the prompt (RLOO).", {"30", "39"});
}

}  // namespace plaudit
