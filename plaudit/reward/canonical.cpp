#include "plaudit/reward/canonical.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/env/policy_evaluation.h"

namespace plaudit {
namespace {

Tensor uniform(int64_t n) {
  return at::full({n}, 1 / static_cast<double>(n), at::kDouble);
}

// rewards(s') and rewards(s) of a potential, broadcast over [S,A,S].
Tensor next_of(const Tensor& potential) {
  return potential.view({1, 1, -1});
}
Tensor here_of(const Tensor& potential) {
  return potential.view({-1, 1, 1});
}

void check_order(const Check& check, double order) {
  check.that(order == 1 || order == 2 || std::isinf(order), "order", "1, 2 or infinity",
             fmt::format("{}", order));
}

Tensor norm_of(const Tensor& x, double order, const Tensor& weights) {
  const auto size = x.abs();
  if (std::isinf(order)) return (weights.defined() ? size * weights : size).max();
  const auto power = order == 1 ? size : size.square();
  const auto total = (weights.defined() ? power * weights : power).sum();
  return order == 1 ? total : total.sqrt();
}

}  // namespace

Tensor potential_shaping(const Tensor& reward, const Tensor& potential, double gamma) {
  const Check check("reward.potential_shaping");
  check_tables(check, {{"reward", reward, "SAS"}, {"potential", potential, "S"}});
  check_discount(check, gamma);
  const auto phi = as_real(potential);
  return as_real(reward) + gamma * next_of(phi) - here_of(phi);
}

Tensor canonicalise_value(const Tensor& transition, const Tensor& reward, double gamma,
                          const std::optional<Tensor>& policy) {
  const Check check("reward.canonicalise_value");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"policy", policy.value_or(Tensor()), "SA", Table::distributions}});
  check_table_discount(check, gamma);
  const auto values =
      policy_evaluation(transition, reward, policy ? *policy : uniform_policy(transition), gamma);
  return values.advantages.unsqueeze(2).expand_as(reward).contiguous();
}

MinimalReward canonicalise_minimal(const Tensor& transition, const Tensor& reward, double gamma) {
  const Check check("reward.canonicalise_minimal");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions}, {"reward", reward, "SAS"}});
  check_table_discount(check, gamma);
  const auto p = on_cpu_f64(transition), expected = expect_next(p, on_cpu_f64(reward));
  const int64_t states = p.size(0), actions = p.size(1);
  // A row (s,a) that must average to b has the least-norm solution b p/|p|^2, of norm |b|/|p|: the potential
  // solves weighted least squares, of full rank because gamma < 1.
  const auto size = p.square().sum(2, true).sqrt();  // [S,A,1]
  const auto design = (gamma * p - at::eye(states, p.options()).unsqueeze(1)) / size;
  const auto target = -expected.unsqueeze(2) / size;
  const auto potential =
      std::get<0>(at::linalg_lstsq(design.reshape({states * actions, states}),
                                   target.reshape({states * actions, 1}), std::nullopt, "gels"));
  const auto mean =
      expected.unsqueeze(2) + at::matmul(gamma * p - at::eye(states, p.options()).unsqueeze(1), potential);
  const auto canonical = mean * p / size.square();
  return {canonical, canonical.square().sum().sqrt()};
}

Tensor canonicalise_epic(const Tensor& reward, double gamma, const std::optional<Tensor>& state_distribution,
                         const std::optional<Tensor>& action_distribution) {
  const Check check("reward.canonicalise_epic");
  check_tables(check,
               {{"reward", reward, "SAS"},
                {"state_distribution", state_distribution.value_or(Tensor()), "S", Table::distributions},
                {"action_distribution", action_distribution.value_or(Tensor()), "A", Table::distributions}});
  check_discount(check, gamma);
  const auto r = on_cpu_f64(reward);
  const auto states = state_distribution ? on_cpu_f64(*state_distribution) : uniform(r.size(0));
  const auto actions = action_distribution ? on_cpu_f64(*action_distribution) : uniform(r.size(1));
  const auto mean = at::matmul(at::matmul(r, states), actions);  // [S]
  return r + gamma * next_of(mean) - here_of(mean) - gamma * mean.dot(states);
}

Tensor canonicalise_dard(const Tensor& transition, const Tensor& reward, double gamma,
                         const std::optional<Tensor>& action_distribution) {
  const Check check("reward.canonicalise_dard");
  check_tables(check,
               {{"transition", transition, "SAS", Table::distributions},
                {"reward", reward, "SAS"},
                {"action_distribution", action_distribution.value_or(Tensor()), "A", Table::distributions}});
  check_discount(check, gamma);
  const auto p = on_cpu_f64(transition), r = on_cpu_f64(reward);
  const auto actions = action_distribution ? on_cpu_f64(*action_distribution) : uniform(r.size(1));
  const auto mean = at::matmul(expect_next(p, r), actions);
  const auto by_action = p.transpose(0, 1);  // [A,S,S]
  const auto both = by_action.bmm(r.transpose(0, 1)).bmm(by_action.transpose(1, 2));
  const auto cross = (both * actions.view({-1, 1, 1})).sum(0);  // k(s,s')
  return r + gamma * next_of(mean) - here_of(mean) - gamma * cross.unsqueeze(1);
}

Tensor reward_norm(const Tensor& reward, double order, const std::optional<Tensor>& weights) {
  const Check check("reward.norm");
  check.not_empty("reward", reward);
  if (weights) check.same_shape("reward", reward, "weights", *weights);
  check.finite("reward", reward);
  if (weights) check.finite("weights", *weights);
  if (weights && readable(*weights)) {
    const double least = as_real(*weights).min().item<double>();
    check.that(least >= 0, "weights", ">= 0", least);
  }
  check_order(check, order);
  return norm_of(as_real(reward), order, weights ? as_real(*weights) : Tensor());
}

Tensor standardise_reward(const Tensor& reward, double order) {
  const Check check("reward.standardise");
  check_elementwise(check, {{"reward", reward}});
  check_order(check, order);
  const auto r = as_real(reward);
  const auto norm = norm_of(r, order, Tensor());
  return r / at::where(norm <= 1e-12, at::ones_like(norm), norm);
}

Tensor canonicalise_value_sampled(const Tensor& rewards, const Tensor& values, const Tensor& next_values,
                                  double gamma) {
  const Check check("reward.canonicalise_value_sampled");
  check_arguments(check,
                  {{"rewards", rewards, "BK"}, {"values", values, "B"}, {"next_values", next_values, "BK"}});
  check_discount(check, gamma);
  return (as_real(rewards) + gamma * as_real(next_values)).mean(1) - as_real(values);
}

Tensor canonicalise_epic_sampled(const Tensor& rewards, const Tensor& rewards_state,
                                 const Tensor& rewards_next, const Tensor& rewards_all, double gamma) {
  const Check check("reward.canonicalise_epic_sampled");
  check_arguments(check, {{"rewards", rewards, "B"},
                          {"rewards_state", rewards_state, "BK"},
                          {"rewards_next", rewards_next, "BK"},
                          {"rewards_all", rewards_all, "M"}});
  check_discount(check, gamma);
  return as_real(rewards) + gamma * as_real(rewards_next).mean(1) - as_real(rewards_state).mean(1) -
         gamma * as_real(rewards_all).mean();
}

Tensor canonicalise_dard_sampled(const Tensor& rewards, const Tensor& rewards_state,
                                 const Tensor& rewards_next, const Tensor& rewards_cross, double gamma) {
  const Check check("reward.canonicalise_dard_sampled");
  check_arguments(check, {{"rewards", rewards, "B"},
                          {"rewards_state", rewards_state, "BK"},
                          {"rewards_next", rewards_next, "BK"},
                          {"rewards_cross", rewards_cross, "BK"}});
  check_discount(check, gamma);
  const auto inner = gamma * (as_real(rewards_next) - as_real(rewards_cross)) - as_real(rewards_state);
  return as_real(rewards) + inner.mean(1);
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("potential_shaping(Tensor reward, Tensor potential, float gamma) -> (Tensor shaped)",
        &potential_shaping, "A reward shaped by a potential.", {"27", "20"});
  m.def(
      "canonicalise_value(Tensor transition, Tensor reward, float gamma, Tensor? policy=None) -> (Tensor "
      "canonical)",
      &canonicalise_value, "The advantage form of a reward.", {"27"});
  m.def(
      "canonicalise_minimal(Tensor transition, Tensor reward, float gamma) -> (Tensor canonical, Tensor "
      "norm)",
      [](const Tensor& transition, const Tensor& reward, double gamma) {
        return as_tuple(canonicalise_minimal(transition, reward, gamma));
      },
      "The equivalent reward of least L2 norm.", {"27"});
  m.def(
      "canonicalise_epic(Tensor reward, float gamma, Tensor? state_distribution=None, Tensor? "
      "action_distribution=None) -> (Tensor canonical)",
      &canonicalise_epic, "The EPIC form of a reward.", {"27"});
  m.def(
      "canonicalise_dard(Tensor transition, Tensor reward, float gamma, Tensor? action_distribution=None) -> "
      "(Tensor canonical)",
      &canonicalise_dard, "The DARD form of a reward.", {"27"});
  m.def("norm(Tensor reward, float order=2., Tensor? weights=None) -> (Tensor norm)", &reward_norm,
        "The weighted p-norm of a reward.", {"27"});
  m.def("standardise(Tensor reward, float order=2.) -> (Tensor standardised)", &standardise_reward,
        "A reward divided by its norm.", {"27"});
  m.def(
      "canonicalise_value_sampled(Tensor rewards, Tensor values, Tensor next_values, float gamma) -> (Tensor "
      "canonical)",
      &canonicalise_value_sampled, "The advantage form from sampled successors.", {"27"});
  m.def(
      "canonicalise_epic_sampled(Tensor rewards, Tensor rewards_state, Tensor rewards_next, Tensor "
      "rewards_all, "
      "float gamma) -> (Tensor canonical)",
      &canonicalise_epic_sampled, "The EPIC form from samples.", {"27"});
  m.def(
      "canonicalise_dard_sampled(Tensor rewards, Tensor rewards_state, Tensor rewards_next, Tensor "
      "rewards_cross, "
      "float gamma) -> (Tensor canonical)",
      &canonicalise_dard_sampled, "The DARD form from samples.", {"27"});
}

}  // namespace plaudit
