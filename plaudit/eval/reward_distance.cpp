#include "plaudit/eval/reward_distance.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/env/value_iteration.h"
#include "plaudit/eval/correlation.h"
#include "plaudit/eval/least_range.h"
#include "plaudit/reward/canonical.h"

namespace plaudit {
namespace {

Tensor scalar(double value) {
  return at::scalar_tensor(value, at::kDouble);
}

double correlation_distance(const Tensor& a, const Tensor& b, const Tensor& weights) {
  const auto c = weighted_correlation(a, b, weights);
  if (c.constant_x && c.constant_y) return 0;
  if (c.constant_x || c.constant_y) return std::sqrt(0.5);
  return std::sqrt((1 - c.rho) / 2);
}

void check_order(const Check& check, std::string_view name, double order) {
  check.that(order == 1 || order == 2 || std::isinf(order), name, "1, 2 or infinity",
             fmt::format("{}", order));
}

void check_laws(const Check& check, const DistanceLaws& laws, const Tensor& reward) {
  check_tables(
      check,
      {{"reward_a", reward, "SAS"},
       {"state_distribution", laws.state_distribution.value_or(Tensor()), "S", Table::distributions},
       {"action_distribution", laws.action_distribution.value_or(Tensor()), "A", Table::distributions}});
}

Tensor law_or_uniform(const std::optional<Tensor>& law, int64_t n) {
  return law ? on_cpu_f64(*law) : at::full({n}, 1 / static_cast<double>(n), at::kDouble);
}

// The range of returns of expected rewards [S,A], and the policies' slopes that make it.
class Ranges {
 public:
  Ranges(const Tensor& transition, const Tensor& initial, double gamma)
      : p_(transition), start_(initial), gamma_(gamma) {}

  struct Best {
    double maximum;
    Tensor policy;  // [S,A]
  };
  Best best(const Tensor& expected) const {
    const auto solved = solve_optimal(p_, expected, gamma_);
    return {solved.values.dot(start_).item<double>(), greedy_policy(solved.q)};
  }
  double range(const Tensor& expected) const { return best(expected).maximum + best(-expected).maximum; }

  double value(const Tensor& policy, const Tensor& expected) const {
    const auto step = (policy * expected).sum(1);
    return solve_discounted(chain_of(p_, policy), step, gamma_).dot(start_).item<double>();
  }

  // range(a - lambda b) and its slope in lambda at this point.
  RangeLine line(const Tensor& a, const Tensor& b, double lambda) const {
    const auto mixed = a - lambda * b;
    const auto top = best(mixed), bottom = best(-mixed);
    return {lambda, top.maximum + bottom.maximum, value(bottom.policy, b) - value(top.policy, b)};
  }

 private:
  Tensor p_, start_;
  double gamma_;
};

}  // namespace

Tensor starc_distance(const Tensor& transition, const Tensor& reward_a, const Tensor& reward_b, double gamma,
                      const StarcOptions& options) {
  const Check check("reward.starc_distance");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward_a", reward_a, "SAS"},
                       {"reward_b", reward_b, "SAS"},
                       {"policy", options.policy.value_or(Tensor()), "SA", Table::distributions}});
  check_table_discount(check, gamma);
  check.choice("canonicalisation", options.canonicalisation, {"value", "minimal", "epic", "dard", "none"});
  check_order(check, "norm_order", options.norm_order);
  check_order(check, "distance_order", options.distance_order);
  const auto canonical = [&](const Tensor& reward) {
    const auto& kind = options.canonicalisation;
    if (kind == "value") return canonicalise_value(transition, reward, gamma, options.policy);
    if (kind == "minimal") return canonicalise_minimal(transition, reward, gamma).canonical;
    if (kind == "epic") return canonicalise_epic(reward, gamma);
    if (kind == "dard") return canonicalise_dard(transition, reward, gamma);
    return on_cpu_f64(reward);
  };
  const auto a = standardise_reward(canonical(reward_a), options.norm_order);
  const auto b = standardise_reward(canonical(reward_b), options.norm_order);
  return reward_norm(a - b, options.distance_order);
}

Tensor pearson_distance(const Tensor& a, const Tensor& b, const std::optional<Tensor>& weights) {
  const Check check("reward.pearson_distance");
  check_elementwise(check, {{"a", a}, {"b", b}});
  if (weights) {
    check.same_shape("a", a, "weights", *weights);
    check.finite("weights", *weights);
    const auto w = on_cpu_f64(*weights);
    const double least = w.min().item<double>(), total = w.sum().item<double>();
    check.that(least >= 0, "weights", ">= 0", least);
    check.that(total > 0, "weights", "positive somewhere", total);
  }
  return scalar(
      correlation_distance(on_cpu_f64(a), on_cpu_f64(b), weights ? on_cpu_f64(*weights) : Tensor()));
}

Tensor epic_distance(const Tensor& reward_a, const Tensor& reward_b, double gamma, const DistanceLaws& laws) {
  const Check check("reward.epic_distance");
  check_tables(check, {{"reward_a", reward_a, "SAS"}, {"reward_b", reward_b, "SAS"}});
  check_laws(check, laws, reward_a);
  check_discount(check, gamma);
  const auto canonical = [&](const Tensor& r) {
    return canonicalise_epic(r, gamma, laws.state_distribution, laws.action_distribution);
  };
  const auto states = law_or_uniform(laws.state_distribution, reward_a.size(0));
  const auto actions = law_or_uniform(laws.action_distribution, reward_a.size(1));
  const auto weights = states.view({-1, 1, 1}) * actions.view({1, -1, 1}) * states.view({1, 1, -1});
  return scalar(correlation_distance(canonical(reward_a), canonical(reward_b), weights));
}

Tensor dard_distance(const Tensor& transition, const Tensor& reward_a, const Tensor& reward_b, double gamma,
                     const DistanceLaws& laws) {
  const Check check("reward.dard_distance");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward_a", reward_a, "SAS"},
                       {"reward_b", reward_b, "SAS"}});
  check_laws(check, laws, reward_a);
  check_discount(check, gamma);
  const auto canonical = [&](const Tensor& r) {
    return canonicalise_dard(transition, r, gamma, laws.action_distribution);
  };
  const auto states = law_or_uniform(laws.state_distribution, reward_a.size(0));
  const auto actions = law_or_uniform(laws.action_distribution, reward_a.size(1));
  const auto weights =
      states.view({-1, 1, 1}) * actions.view({1, -1, 1}) * on_cpu_f64(transition).clamp_min(0);
  return scalar(correlation_distance(canonical(reward_a), canonical(reward_b), weights));
}

Tensor sampled_distance(const Tensor& canonical_a, const Tensor& canonical_b, double order) {
  const Check check("reward.sampled_distance");
  check_arguments(check, {{"canonical_a", canonical_a, "B"}, {"canonical_b", canonical_b, "B"}});
  check_order(check, "order", order);
  const auto norm = [&](const Tensor& x) {
    if (std::isinf(order)) return x.abs().max();
    return order == 1 ? x.abs().mean() : x.square().mean().sqrt();
  };
  const auto unit = [&](const Tensor& x) {
    const auto size = norm(x);
    return x / at::where(size <= kTrivial, at::ones_like(size), size);
  };
  return norm(unit(as_real(canonical_a)) - unit(as_real(canonical_b)));
}

Regret regret(const Tensor& transition, const Tensor& reward_true, const Tensor& reward_learned,
              const Tensor& initial, double gamma) {
  const Check check("reward.regret");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward_true", reward_true, "SAS"},
                       {"reward_learned", reward_learned, "SAS"},
                       {"initial", initial, "S", Table::distributions}});
  check_table_discount(check, gamma);
  const auto p = on_cpu_f64(transition);
  const Ranges ranges(p, on_cpu_f64(initial), gamma);
  const auto truth = expect_next(p, on_cpu_f64(reward_true)),
             learned = expect_next(p, on_cpu_f64(reward_learned));
  const double top = ranges.best(truth).maximum, bottom = -ranges.best(-truth).maximum;
  const double lost = top - ranges.value(ranges.best(learned).policy, truth);
  return {scalar(lost), scalar(top - bottom <= kTrivial ? 0 : lost / (top - bottom))};
}

Tensor worst_case_regret(const Tensor& transition, const Tensor& reward_true, const Tensor& reward_learned,
                         const Tensor& initial, double gamma) {
  const Check check("reward.worst_case_regret");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward_true", reward_true, "SAS"},
                       {"reward_learned", reward_learned, "SAS"},
                       {"initial", initial, "S", Table::distributions}});
  check_table_discount(check, gamma);
  const auto p = on_cpu_f64(transition);
  const Ranges ranges(p, on_cpu_f64(initial), gamma);
  auto truth = expect_next(p, on_cpu_f64(reward_true)), learned = expect_next(p, on_cpu_f64(reward_learned));
  const double true_range = ranges.range(truth), learned_range = ranges.range(learned);
  if (true_range <= kTrivial) return scalar(0);
  if (learned_range <= kTrivial) return scalar(1);
  truth = truth / true_range;
  learned = learned / learned_range;
  return scalar(least_range([&](double lambda) { return ranges.line(truth, learned, lambda); }));
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "starc_distance(Tensor transition, Tensor reward_a, Tensor reward_b, float gamma, str "
      "canonicalisation='value', float norm_order=2., float distance_order=2., Tensor? policy=None) -> "
      "(Tensor "
      "distance)",
      [](const Tensor& transition, const Tensor& a, const Tensor& b, double gamma, std::string kind,
         double norm_order, double distance_order, std::optional<Tensor> policy) {
        return starc_distance(transition, a, b, gamma,
                              {std::move(kind), norm_order, distance_order, std::move(policy)});
      },
      "The distance of two standardised canonical rewards.", {"27"});
  m.def("pearson_distance(Tensor a, Tensor b, Tensor? weights=None) -> (Tensor distance)", &pearson_distance,
        "sqrt((1 - rho)/2) of two rewards.", {"27"});
  m.def(
      "epic_distance(Tensor reward_a, Tensor reward_b, float gamma, Tensor? state_distribution=None, Tensor? "
      "action_distribution=None) -> (Tensor distance)",
      [](const Tensor& a, const Tensor& b, double gamma, std::optional<Tensor> states,
         std::optional<Tensor> actions) {
        return epic_distance(a, b, gamma, {std::move(states), std::move(actions)});
      },
      "The EPIC distance of two rewards.", {"27"});
  m.def(
      "dard_distance(Tensor transition, Tensor reward_a, Tensor reward_b, float gamma, Tensor? "
      "state_distribution=None, Tensor? action_distribution=None) -> (Tensor distance)",
      [](const Tensor& transition, const Tensor& a, const Tensor& b, double gamma,
         std::optional<Tensor> states, std::optional<Tensor> actions) {
        return dard_distance(transition, a, b, gamma, {std::move(states), std::move(actions)});
      },
      "The DARD distance of two rewards.", {"27"});
  m.def("sampled_distance(Tensor canonical_a, Tensor canonical_b, float order=2.) -> (Tensor distance)",
        &sampled_distance, "The distance of two sampled canonical rewards.", {"27"});
  m.def(
      "regret(Tensor transition, Tensor reward_true, Tensor reward_learned, Tensor initial, float gamma) -> "
      "(Tensor "
      "regret, Tensor normalised)",
      [](const Tensor& transition, const Tensor& truth, const Tensor& learned, const Tensor& initial,
         double gamma) { return as_tuple(regret(transition, truth, learned, initial, gamma)); },
      "The return lost by optimising the learned reward.", {"27", "26", "08"});
  m.def(
      "worst_case_regret(Tensor transition, Tensor reward_true, Tensor reward_learned, Tensor initial, float "
      "gamma) "
      "-> (Tensor worst_case_regret)",
      &worst_case_regret, "The most return that improving the learned reward can lose.", {"27"});
}

}  // namespace plaudit
