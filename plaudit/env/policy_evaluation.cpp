#include "plaudit/env/policy_evaluation.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

// F of every row of a policy, [S].
Tensor regulariser_of(const Tensor& policy, const std::string& kind) {
  if (kind == "tsallis") return (policy.square().sum(1) - 1) / 2;
  const auto negative_entropy = at::xlogy(policy, policy).sum(1);
  if (kind == "negative_entropy") return negative_entropy;
  return negative_entropy + std::log(static_cast<double>(policy.size(1)));
}

}  // namespace

Tensor expected_reward(const Tensor& transition, const Tensor& reward) {
  const Check check("tabular.expected_reward");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions}, {"reward", reward, "SAS"}});
  return expect_next(on_cpu_f64(transition), on_cpu_f64(reward));
}

PolicyValues policy_evaluation(const Tensor& transition, const Tensor& reward, const Tensor& policy,
                               double gamma) {
  const Check check("tabular.policy_evaluation");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"policy", policy, "SA", Table::distributions}});
  check_table_discount(check, gamma);
  const auto p = on_cpu_f64(transition), pi = on_cpu_f64(policy), r = expect_next(p, on_cpu_f64(reward));
  const auto values = solve_discounted(chain_of(p, pi), (pi * r).sum(1), gamma);
  const auto q = r + gamma * expect_next(p, values);
  return {values, q, q - values.unsqueeze(1)};
}

Tensor policy_return(const Tensor& transition, const Tensor& reward, const Tensor& policy,
                     const Tensor& initial, double gamma) {
  const Check check("tabular.policy_return");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"policy", policy, "SA", Table::distributions},
                       {"initial", initial, "S", Table::distributions}});
  check_table_discount(check, gamma);
  return policy_evaluation(transition, reward, policy, gamma).values.dot(on_cpu_f64(initial));
}

Occupancy occupancy_measure(const Tensor& transition, const Tensor& policy, const Tensor& initial,
                            double gamma, bool normalised) {
  const Check check("tabular.occupancy_measure");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"policy", policy, "SA", Table::distributions},
                       {"initial", initial, "S", Table::distributions}});
  check_table_discount(check, gamma);
  const auto p = on_cpu_f64(transition), pi = on_cpu_f64(policy);
  auto state = solve_discounted(chain_of(p, pi).t(), on_cpu_f64(initial), gamma);
  if (normalised) state = (1 - gamma) * state;
  const auto state_action = state.unsqueeze(1) * pi;
  return {state, state_action, state_action.unsqueeze(2) * p};
}

Tensor multi_objective_return(const Tensor& transition, const Tensor& rewards, const Tensor& policy,
                              const Tensor& initial, double gamma) {
  const Check check("tabular.multi_objective_return");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"rewards", rewards, "KSAS"},
                       {"policy", policy, "SA", Table::distributions},
                       {"initial", initial, "S", Table::distributions}});
  check_table_discount(check, gamma);
  const auto p = on_cpu_f64(transition), pi = on_cpu_f64(policy);
  const auto step = (pi * (p * on_cpu_f64(rewards)).sum(-1)).sum(-1);  // [K,S]
  const auto values = solve_discounted(chain_of(p, pi), step.t(), gamma);
  return at::matmul(on_cpu_f64(initial), values);
}

Tensor regularised_return(const Tensor& transition, const Tensor& reward, const Tensor& policy,
                          const Tensor& initial, double gamma, double alpha, const std::string& regulariser) {
  const Check check("tabular.regularised_return");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"policy", policy, "SA", Table::distributions},
                       {"initial", initial, "S", Table::distributions}});
  check_table_discount(check, gamma);
  check.choice("regulariser", regulariser, {"negative_entropy", "kl_uniform", "tsallis"});
  const auto p = on_cpu_f64(transition), pi = on_cpu_f64(policy).clamp_min(0);
  const auto step =
      (pi * expect_next(p, on_cpu_f64(reward))).sum(1) - alpha * regulariser_of(pi, regulariser);
  return solve_discounted(chain_of(p, pi), step, gamma).dot(on_cpu_f64(initial));
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def("expected_reward(Tensor transition, Tensor reward) -> (Tensor expected)", &expected_reward,
        "The reward of a state and an action, averaged over the next state.", {"27"});
  m.def(
      "policy_evaluation(Tensor transition, Tensor reward, Tensor policy, float gamma) -> (Tensor values, "
      "Tensor q, Tensor advantages)",
      [](const Tensor& transition, const Tensor& reward, const Tensor& policy, double gamma) {
        return as_tuple(policy_evaluation(transition, reward, policy, gamma));
      },
      "Exact values of a policy.", {"27", "36"});
  m.def(
      "policy_return(Tensor transition, Tensor reward, Tensor policy, Tensor initial, float gamma) -> "
      "(Tensor value)",
      &policy_return, "Exact discounted return of a policy.", {"27", "23", "36"});
  m.def(
      "occupancy_measure(Tensor transition, Tensor policy, Tensor initial, float gamma, bool "
      "normalised=False) -> (Tensor state, Tensor state_action, Tensor transition_occupancy)",
      [](const Tensor& transition, const Tensor& policy, const Tensor& initial, double gamma,
         bool normalised) {
        return as_tuple(occupancy_measure(transition, policy, initial, gamma, normalised));
      },
      "Expected discounted visits of states, actions and transitions.", {"27", "23"});
  m.def(
      "multi_objective_return(Tensor transition, Tensor rewards, Tensor policy, Tensor initial, float gamma) "
      "-> (Tensor values)",
      &multi_objective_return, "Exact returns of several rewards under one policy.", {"23"});
  m.def(
      "regularised_return(Tensor transition, Tensor reward, Tensor policy, Tensor initial, float gamma, "
      "float "
      "alpha, str regulariser) -> (Tensor value)",
      &regularised_return, "Exact return less a charge on the policy of every visited state.", {"23"});
}

}  // namespace plaudit
