#include "plaudit/env/finite_horizon.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

// Backs values up through T steps: `pick(t, q_t)` turns q [S,A] into values [S].
template <class Pick>
FiniteHorizonValues back_up(const Tensor& transition, const Tensor& expected, int64_t horizon, double gamma,
                            Pick pick) {
  std::vector<Tensor> q(static_cast<size_t>(horizon)), values(static_cast<size_t>(horizon) + 1);
  values.back() = at::zeros({transition.size(0)}, at::kDouble);
  for (int64_t t = horizon - 1; t >= 0; --t) {
    const auto i = static_cast<size_t>(t);
    q[i] = expected + gamma * expect_next(transition, values[i + 1]);
    values[i] = pick(t, q[i]);
  }
  return {at::stack(q), at::stack(values)};
}

Tensor qvi(const Tensor& q, const Tensor& transition, const Tensor& expected, double gamma) {
  const auto next = q.slice(0, 1).amax(2);  // [T-1,S]
  const auto backed = at::matmul(transition, next.t()).permute({2, 0, 1});
  return at::cat({expected + gamma * backed, expected.unsqueeze(0)});
}

Tensor tied(const Tensor& q, double tolerance) {
  return q >= q.amax(-1, /*keepdim=*/true) - tolerance;
}

// Where greedy play with tied actions `greedy` [T,S,A] goes from `initial`, [T,S] bool.
Tensor reachable(const Tensor& greedy, const Tensor& transition, const Tensor& initial) {
  std::vector<Tensor> reached = {initial > 0};
  const auto edges = (transition > 0).to(at::kDouble);
  for (int64_t t = 0; t + 1 < greedy.size(0); ++t) {
    const auto played = greedy[t].logical_and(reached.back().unsqueeze(1)).to(at::kDouble);
    reached.push_back(at::tensordot(played, edges, {0, 1}, {0, 1}) > 0);
  }
  return at::stack(reached);
}

void check_ties(const Check& check, double tolerance) {
  check.that(tolerance >= 0, "tie_tolerance", ">= 0", tolerance);
}

void check_horizon(const Check& check, int64_t horizon) {
  check.that(horizon >= 1, "horizon", ">= 1", horizon);
}

}  // namespace

FiniteHorizonValues finite_horizon_q(const Tensor& transition, const Tensor& reward, int64_t horizon,
                                     double gamma, const std::optional<Tensor>& policy) {
  const Check check("tabular.finite_horizon_q");
  check_horizon(check, horizon);
  const bool per_step = policy && policy->dim() == 3;
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"policy", policy.value_or(Tensor()), per_step ? "TSA" : "SA", Table::distributions}});
  if (per_step && policy->size(0) != horizon)
    check.refuse(ErrorKind::shape, "policy",
                 fmt::format("must hold horizon = {} steps, got shape {}", horizon, shape_of(*policy)));
  check_table_discount(check, gamma, /*finite_horizon=*/true);
  const auto p = on_cpu_f64(transition), r = expect_next(p, on_cpu_f64(reward));
  const auto pi = policy ? on_cpu_f64(*policy) : Tensor();
  return back_up(p, r, horizon, gamma, [&](int64_t t, const Tensor& q) {
    if (!pi.defined()) return q.amax(1);
    return ((per_step ? pi[t] : pi) * q).sum(1);
  });
}

Tensor exploration_q(const Tensor& transition, const Tensor& reward, int64_t horizon, double gamma,
                     const std::optional<Tensor>& policy) {
  const Check check("tabular.exploration_q");
  check_horizon(check, horizon);
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"policy", policy.value_or(Tensor()), "SA", Table::distributions}});
  check_table_discount(check, gamma, /*finite_horizon=*/true);
  return finite_horizon_q(transition, reward, horizon, gamma, policy ? *policy : uniform_policy(transition))
      .q;
}

Tensor q_value_iteration_step(const Tensor& q, const Tensor& transition, const Tensor& reward, double gamma) {
  const Check check("tabular.q_value_iteration_step");
  check_tables(
      check,
      {{"q", q, "TSA"}, {"transition", transition, "SAS", Table::distributions}, {"reward", reward, "SAS"}});
  check_table_discount(check, gamma, /*finite_horizon=*/true);
  const auto p = on_cpu_f64(transition);
  return qvi(on_cpu_f64(q), p, expect_next(p, on_cpu_f64(reward)), gamma);
}

Tensor greedy_return(const Tensor& q, const Tensor& transition, const Tensor& reward, const Tensor& initial,
                     double gamma, double tie_tolerance) {
  const Check check("tabular.greedy_return");
  check_tables(check, {{"q", q, "TSA"},
                       {"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"initial", initial, "S", Table::distributions}});
  check_table_discount(check, gamma, /*finite_horizon=*/true);
  check_ties(check, tie_tolerance);
  const auto p = on_cpu_f64(transition), greedy = tied(on_cpu_f64(q), tie_tolerance);
  const double never = std::numeric_limits<double>::infinity();
  const auto worst =
      back_up(p, expect_next(p, on_cpu_f64(reward)), q.size(0), gamma, [&](int64_t t, const Tensor& value) {
        return value.masked_fill(greedy[t].logical_not(), never).amin(1);
      });
  return worst.values[0].dot(on_cpu_f64(initial));
}

int64_t min_qvi_k(const Tensor& transition, const Tensor& reward, const Tensor& initial, int64_t horizon,
                  const MinQviOptions& options) {
  const Check check("tabular.min_qvi_k");
  check_horizon(check, horizon);
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"initial", initial, "S", Table::distributions},
                       {"policy", options.policy.value_or(Tensor()), "SA", Table::distributions}});
  check_table_discount(check, options.gamma, /*finite_horizon=*/true);
  check.choice("start", options.start, {"exploration", "rewards"});
  const int64_t max_k = options.max_k.value_or(horizon);
  check.that(max_k >= 1, "max_k", ">= 1", max_k);
  check_ties(check, options.tie_tolerance);
  check.that(options.optimality_tolerance >= 0, "optimality_tolerance", ">= 0", options.optimality_tolerance);

  const auto p = on_cpu_f64(transition), start = on_cpu_f64(initial), r = expect_next(p, on_cpu_f64(reward));
  const auto best = back_up(p, r, horizon, options.gamma, [](int64_t, const Tensor& q) { return q.amax(1); });
  const auto optimal = best.q >= best.q.amax(2, true) - options.optimality_tolerance;
  const auto pi = options.policy ? on_cpu_f64(*options.policy) : uniform_policy(p);
  auto q = options.start == "rewards"
               ? r.unsqueeze(0).expand({horizon, -1, -1})
               : back_up(p, r, horizon, options.gamma, [&](int64_t, const Tensor& values) {
                   return (pi * values).sum(1);
                 }).q;
  for (int64_t k = 1; k <= max_k; ++k) {
    const auto greedy = tied(q, options.tie_tolerance);
    const auto wrong = greedy.logical_and(optimal.logical_not()).any(2);
    if (!wrong.logical_and(reachable(greedy, p, start)).any().item<bool>()) return k;
    q = qvi(q, p, r, options.gamma);
  }
  return -1;
}

Tensor k_gap(const Tensor& q, const Tensor& transition, const Tensor& initial, double tie_tolerance) {
  const Check check("tabular.k_gap");
  check_tables(check, {{"q", q, "TSA"},
                       {"transition", transition, "SAS", Table::distributions},
                       {"initial", initial, "S", Table::distributions}});
  check_ties(check, tie_tolerance);
  const auto values = on_cpu_f64(q), greedy = tied(values, tie_tolerance);
  const auto second = values.masked_fill(greedy, -std::numeric_limits<double>::infinity()).amax(2);
  const auto gaps = values.amax(2) - second;
  const auto reached = reachable(greedy, on_cpu_f64(transition), on_cpu_f64(initial));
  return gaps.masked_fill(reached.logical_not(), std::numeric_limits<double>::infinity()).min();
}

StochasticHorizon stochastic_effective_horizon(const Tensor& gaps, int64_t num_actions) {
  const Check check("tabular.stochastic_effective_horizon");
  check_tables(check, {{"gaps", gaps, "K"}});
  const auto g = on_cpu_f64(gaps);
  check.range("gaps", g, 0, std::numeric_limits<double>::infinity());
  check.that(num_actions >= 2, "num_actions", ">= 2", num_actions);
  const auto k = at::arange(1, g.size(0) + 1, at::kDouble);
  const auto per_k = k - 2 * g.log() / std::log(static_cast<double>(num_actions));
  return {per_k, per_k.min()};
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def(
      "finite_horizon_q(Tensor transition, Tensor reward, int horizon, float gamma=1., Tensor? policy=None) "
      "-> "
      "(Tensor q, Tensor values)",
      [](const Tensor& transition, const Tensor& reward, int64_t horizon, double gamma,
         const std::optional<Tensor>& policy) {
        return as_tuple(finite_horizon_q(transition, reward, horizon, gamma, policy));
      },
      "Values over a fixed number of steps, of the optimal or a given policy.", {"27", "08"});
  m.def(
      "exploration_q(Tensor transition, Tensor reward, int horizon, float gamma=1., Tensor? policy=None) -> "
      "(Tensor q)",
      &exploration_q, "The Q-function of the exploration policy.", {"08"});
  m.def("q_value_iteration_step(Tensor q, Tensor transition, Tensor reward, float gamma=1.) -> (Tensor q)",
        &q_value_iteration_step, "One step of Q-value iteration over all times at once.", {"08"});
  m.def(
      "greedy_return(Tensor q, Tensor transition, Tensor reward, Tensor initial, float gamma=1., float "
      "tie_tolerance=1e-9) -> (Tensor value)",
      &greedy_return, "The return of the worst policy that is greedy for a Q-function.", {"08"});
  m.def(
      "min_qvi_k(Tensor transition, Tensor reward, Tensor initial, int horizon, float gamma=1., Tensor? "
      "policy=None, str start='exploration', int? max_k=None, float tie_tolerance=1e-9, float "
      "optimality_tolerance=1e-6) -> (int k)",
      [](const Tensor& transition, const Tensor& reward, const Tensor& initial, int64_t horizon, double gamma,
         std::optional<Tensor> policy, std::string start, std::optional<int64_t> max_k, double ties,
         double optimality) {
        return min_qvi_k(transition, reward, initial, horizon,
                         {gamma, std::move(policy), std::move(start), max_k, ties, optimality});
      },
      "The least number of Q-value iterations after which acting greedily is optimal.", {"08"});
  m.def("k_gap(Tensor q, Tensor transition, Tensor initial, float tie_tolerance=1e-9) -> (Tensor gap)",
        &k_gap, "The least gap between the best and the next action where greedy play goes.", {"08"});
  m.def("stochastic_effective_horizon(Tensor gaps, int num_actions) -> (Tensor per_k, Tensor horizon)",
        [](const Tensor& gaps, int64_t actions) {
          return as_tuple(stochastic_effective_horizon(gaps, actions));
        },
        "The effective horizon k + log_A(1/gap^2) and its least value.", {"08"});
}

}  // namespace plaudit
