#include "plaudit/objective/constrained.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

// KL(p || q) of softmaxes along the last dimension.
Tensor softmax_kl(const Tensor& p_logits, const Tensor& q_logits) {
  const auto p = at::log_softmax(p_logits, -1), q = at::log_softmax(q_logits, -1);
  return (p.exp() * (p - q)).sum(-1);
}

}  // namespace

Multipliers normalised_multipliers(const Tensor& logits, const MultiplierOptions& options) {
  const Check check("policy_gradient.normalised_multipliers");
  check.not_empty("logits", logits);
  check.dim("logits", logits, 1);
  check.finite("logits", logits);
  check.that(std::isfinite(options.reward_logit), "reward_logit", "finite", options.reward_logit);
  const auto z = as_real(logits);
  const auto weights = at::softmax(at::cat({at::full({1}, options.reward_logit, z.options()), z}), 0);
  auto reward_weight = weights[0];
  const auto& success = options.success_index;
  if (success)
    check.that(*success >= 0 && *success < z.size(0), "success_index", fmt::format("in [0, {})", z.size(0)),
               *success);
  if (options.bootstrap) {
    if (!success) check.refuse(ErrorKind::value, "success_index", "is needed by bootstrap");
    reward_weight = at::maximum(reward_weight, weights[*success + 1]);
  }
  return {weights.slice(0, 1), reward_weight};
}

Tensor multiplier_step(const Tensor& logits, const Tensor& costs, const Tensor& thresholds, double lr) {
  const Check check("policy_gradient.multiplier_step");
  check.alike({{"logits", logits}, {"costs", costs}, {"thresholds", thresholds}}, 1);
  check.that(lr > 0, "lr", "> 0", lr);
  const auto z = as_real(logits);
  return z + lr * (as_real(costs).to(z.scalar_type()) - as_real(thresholds).to(z.scalar_type()));
}

Tensor lagrangian_advantage(const Tensor& reward_advantages, const Tensor& cost_advantages,
                            const Tensor& multipliers, double reward_weight) {
  const Check check("policy_gradient.lagrangian_advantage");
  check.not_empty("reward_advantages", reward_advantages);
  check.not_empty("cost_advantages", cost_advantages);
  check.not_empty("multipliers", multipliers);
  check_sizes(check, {{"reward_advantages", reward_advantages, "BT"},
                      {"cost_advantages", cost_advantages, "KBT"},
                      {"multipliers", multipliers, "K"}});
  check.finite("reward_advantages", reward_advantages);
  check.finite("cost_advantages", cost_advantages);
  check.finite("multipliers", multipliers);
  check.that(std::isfinite(reward_weight), "reward_weight", "finite", reward_weight);
  const auto a = as_real(reward_advantages);
  const auto weights = as_real(multipliers).to(a.scalar_type()).view({-1, 1, 1});
  return reward_weight * a - (weights * as_real(cost_advantages).to(a.scalar_type())).sum(0);
}

Tensor team_spirit_loss(const Tensor& predicted, const Tensor& actual, const std::string& kind) {
  const Check check("policy_gradient.team_spirit_loss");
  check.alike({{"predicted", predicted}, {"actual", actual}}, 3);
  check.choice("kind", kind, {"continuous", "discrete"});
  const auto p = as_real(predicted);
  const auto a = as_real(actual).to(p.scalar_type());
  return (kind == "continuous" ? (p - a).square().sum(-1) : softmax_kl(a, p)).mean();
}

Tensor coach_kl(const Tensor& coach_logits, const Tensor& agent_logits) {
  const Check check("policy_gradient.coach_kl");
  check.not_empty("coach_logits", coach_logits);
  check.not_empty("agent_logits", agent_logits);
  check_sizes(check, {{"coach_logits", coach_logits, "BK"}, {"agent_logits", agent_logits, "BNK"}});
  check.finite("coach_logits", coach_logits);
  check.finite("agent_logits", agent_logits);
  const auto coach = as_real(coach_logits);
  return softmax_kl(coach.unsqueeze(1), as_real(agent_logits).to(coach.scalar_type())).mean();
}

Tensor trajectory_balance_loss(const Tensor& log_z, const Tensor& forward_logps, const Tensor& backward_logps,
                               const Tensor& mask, const Tensor& log_rewards) {
  const Check check("policy_gradient.trajectory_balance_loss");
  check.not_empty("log_z", log_z);
  check.not_empty("log_rewards", log_rewards);
  check_tokens(check, {{"forward_logps", forward_logps}, {"backward_logps", backward_logps}}, mask,
               ValidRows::some);
  check_sizes(check, {{"forward_logps", forward_logps, "BT"},
                      {"log_rewards", log_rewards, "B"},
                      {"log_z", log_z, log_z.numel() == 1 ? "..." : "B"}});
  check.finite("log_z", log_z);
  check.finite("log_rewards", log_rewards);
  const auto forward = masked_sum(as_real(forward_logps), mask, 1);
  const auto like = [&](const Tensor& x) { return as_real(x).to(forward.scalar_type()); };
  const auto backward = masked_sum(like(backward_logps), mask, 1);
  return (like(log_z).reshape({-1}) + forward - backward - like(log_rewards)).square().mean();
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def(
      "normalised_multipliers(Tensor logits, float reward_logit=0., bool bootstrap=False, int? "
      "success_index=None) -> "
      "(Tensor multipliers, Tensor reward_weight)",
      [](const Tensor& logits, double reward_logit, bool bootstrap, std::optional<int64_t> success_index) {
        return as_tuple(normalised_multipliers(logits, {reward_logit, bootstrap, success_index}));
      },
      "Lagrange multipliers and the weight of the reward, summing to one.", {"26"});
  m.def("multiplier_step(Tensor logits, Tensor costs, Tensor thresholds, float lr) -> (Tensor logits)",
        &multiplier_step, "Raises the multipliers of constraints that are violated.", {"26"});
  m.def(
      "lagrangian_advantage(Tensor reward_advantages, Tensor cost_advantages, Tensor multipliers, float "
      "reward_weight) -> (Tensor advantages)",
      &lagrangian_advantage, "Advantages of the reward minus those of the costs.", {"26"});
  m.def("team_spirit_loss(Tensor predicted, Tensor actual, str kind='continuous') -> (Tensor loss)",
        &team_spirit_loss, "How badly agents predict their team mates.", {"26"});
  m.def("coach_kl(Tensor coach_logits, Tensor agent_logits) -> (Tensor loss)", &coach_kl,
        "KL from a coach's mask to the agents' masks.", {"26"});
  m.def(
      "trajectory_balance_loss(Tensor log_z, Tensor forward_logps, Tensor backward_logps, Tensor mask, "
      "Tensor "
      "log_rewards) -> (Tensor loss)",
      &trajectory_balance_loss, "Squared imbalance of the flow along trajectories.", {"26"});
}

}  // namespace plaudit
