#include "plaudit/env/value_iteration.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/env/policy_evaluation.h"

namespace plaudit {
namespace {

// Rows of `x` [S,A,...] at the actions [S].
Tensor at_actions(const Tensor& x, const Tensor& actions) {
  const auto states = at::arange(x.size(0), at::kLong);
  return x.index({states, actions});
}

}  // namespace

GreedyValues solve_optimal(const Tensor& transition, const Tensor& expected, double gamma,
                           const ValueIterationOptions& options) {
  auto actions = expected.argmax(1);
  Tensor values, q;
  // Improvements are few, and a policy that is short of them is not optimal: `tol` and `max_iterations` may
  // ask for more than exact to 1e-9, never for less.
  const double enough = std::min(options.tol, 1e-9) * (1 - gamma);
  const int64_t most = std::max<int64_t>(options.max_iterations, 10000);
  for (int64_t i = 0; i < most; ++i) {
    values = solve_discounted(at_actions(transition, actions), at_actions(expected, actions), gamma);
    q = expected + gamma * expect_next(transition, values);
    const auto [best, choice] = q.max(1);
    const auto gain = best - values;
    if (gain.max().item<double>() <= enough) break;
    // A gain of rounding size must not turn a policy for ever.
    const auto better = gain > 1e-13 * (1 + values.abs());
    if (!better.any().item<bool>()) break;
    actions = at::where(better, choice, actions);
  }
  return {values, q};
}

Tensor greedy_policy(const Tensor& q) {
  const auto near = q >= q.amax(1, /*keepdim=*/true) - 1e-9;
  const auto first = near.to(at::kInt).argmax(1);  // the first of several maxima
  return at::one_hot(first, q.size(1)).to(at::kDouble);
}

OptimalValues value_iteration(const Tensor& transition, const Tensor& reward, double gamma,
                              const ValueIterationOptions& options) {
  const Check check("tabular.value_iteration");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions}, {"reward", reward, "SAS"}});
  check_table_discount(check, gamma);
  check.that(options.tol > 0, "tol", "> 0", options.tol);
  check.that(options.max_iterations >= 1, "max_iterations", ">= 1", options.max_iterations);
  const auto p = on_cpu_f64(transition);
  const auto solved = solve_optimal(p, expect_next(p, on_cpu_f64(reward)), gamma, options);
  return {solved.values, solved.q, greedy_policy(solved.q)};
}

ReturnRange return_range(const Tensor& transition, const Tensor& reward, const Tensor& initial,
                         double gamma) {
  const Check check("tabular.return_range");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"initial", initial, "S", Table::distributions}});
  check_table_discount(check, gamma);
  const auto p = on_cpu_f64(transition), start = on_cpu_f64(initial), r = expect_next(p, on_cpu_f64(reward));
  return {solve_optimal(p, r, gamma).values.dot(start), -solve_optimal(p, -r, gamma).values.dot(start)};
}

OptimalValues soft_value_iteration(const Tensor& transition, const Tensor& reward, double gamma,
                                   const SoftValueOptions& options) {
  const Check check("tabular.soft_value_iteration");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"reference", options.reference.value_or(Tensor()), "SA"}});
  check_table_discount(check, gamma);
  check.that(options.temperature > 0, "temperature", "> 0", options.temperature);
  const auto p = on_cpu_f64(transition), r = expect_next(p, on_cpu_f64(reward));
  const auto reference = options.reference ? on_cpu_f64(*options.reference) : at::ones_like(r);
  check.range("reference", reference, 0, std::numeric_limits<double>::infinity());
  const double least = reference.sum(1).min().item<double>();
  check.that(least > 0, "reference", "positive somewhere in every row", least);

  const double tau = options.temperature;
  const auto log_reference = reference.log();
  auto policy = reference / reference.sum(1, true);
  Tensor values, q;
  for (int i = 0; i < 1000; ++i) {
    // pi log(pi/ref), 0 where either is 0.
    const auto cost = at::where(policy > 0, policy * (policy.log() - log_reference), at::zeros_like(policy));
    const auto before = values;
    values = solve_discounted(chain_of(p, policy), (policy * r - tau * cost).sum(1), gamma);
    q = r + gamma * expect_next(p, values);
    policy = at::softmax(q / tau + log_reference, 1);
    if (before.defined() && ((values - before).abs() <= 1e-13 * (1 + values.abs())).all().item<bool>()) break;
  }
  values = tau * at::logsumexp(q / tau + log_reference, 1);
  return {values, q, policy};
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def(
      "value_iteration(Tensor transition, Tensor reward, float gamma, float tol=1e-10, int "
      "max_iterations=100000) -> (Tensor values, Tensor q, Tensor policy)",
      [](const Tensor& transition, const Tensor& reward, double gamma, double tol, int64_t iterations) {
        return as_tuple(value_iteration(transition, reward, gamma, {tol, iterations}));
      },
      "Exact optimal values and the lowest-index greedy policy.", {"27", "36"});
  m.def(
      "return_range(Tensor transition, Tensor reward, Tensor initial, float gamma) -> (Tensor maximum, "
      "Tensor "
      "minimum)",
      [](const Tensor& transition, const Tensor& reward, const Tensor& initial, double gamma) {
        return as_tuple(return_range(transition, reward, initial, gamma));
      },
      "The largest and the least return of any policy.", {"27"});
  m.def(
      "soft_value_iteration(Tensor transition, Tensor reward, float gamma, float temperature=1., Tensor? "
      "reference=None) -> (Tensor values, Tensor q, Tensor policy)",
      [](const Tensor& transition, const Tensor& reward, double gamma, double temperature,
         std::optional<Tensor> reference) {
        return as_tuple(soft_value_iteration(transition, reward, gamma, {temperature, std::move(reference)}));
      },
      "Optimal values under an entropy or a KL to a reference policy.", {"27", "23"});
}

}  // namespace plaudit
