#include "plaudit/env/trajectories.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

constexpr int64_t kMostTrajectories = 5'000'000;

int64_t pick(const double* weights, int64_t n, double u) {
  double total = 0;
  for (int64_t i = 0; i < n; ++i) total += weights[i];
  double cumulative = 0;
  for (int64_t i = 0; i < n; ++i) {
    cumulative += weights[i];
    if (cumulative > u * total) return i;
  }
  return n - 1;
}

// Depth-first through all trajectories, lexicographic because every level counts up.
class Lister {
 public:
  Lister(const Check& check, const Tensor& transition, const Tensor& policy, const Tensor& initial,
         const Tensor& reward, int64_t horizon, double gamma)
      : check_(check),
        states_(transition.size(0)),
        actions_(transition.size(1)),
        horizon_(horizon),
        gamma_(gamma),
        p_(numbers_of(transition)),
        pi_(numbers_of(policy)),
        reward_(reward.defined() ? numbers_of(reward) : nullptr),
        path_(static_cast<size_t>(2 * horizon + 1)) {
    for (int64_t s = 0; s < states_; ++s) {
      if (numbers_of(initial)[s] > 0) visit(0, s, numbers_of(initial)[s], 0, 1);
    }
  }

  TrajectoryDistribution trajectories() const {
    const int64_t width = 2 * horizon_ + 1;
    return {at::tensor(paths_, at::kLong).view({-1, width}), at::tensor(probabilities_, at::kDouble)};
  }
  ReturnDistribution returns() const {
    return {at::tensor(returns_, at::kDouble), at::tensor(probabilities_, at::kDouble)};
  }

 private:
  void visit(int64_t t, int64_t s, double probability, double gained, double discount) {
    path_[static_cast<size_t>(2 * t)] = s;
    if (t == horizon_) return finish(probability, gained);
    for (int64_t a = 0; a < actions_; ++a) {
      const double chosen = pi_[s * actions_ + a];
      if (chosen <= 0) continue;
      path_[static_cast<size_t>(2 * t + 1)] = a;
      for (int64_t next = 0; next < states_; ++next) {
        const int64_t entry = (s * actions_ + a) * states_ + next;
        if (p_[entry] <= 0) continue;
        const double pay = reward_ ? discount * reward_[entry] : 0;
        visit(t + 1, next, probability * chosen * p_[entry], gained + pay, discount * gamma_);
      }
    }
  }

  void finish(double probability, double gained) {
    const auto count = static_cast<int64_t>(probabilities_.size());
    check_.that(count < kMostTrajectories, "horizon", "short enough for five million trajectories", horizon_);
    probabilities_.push_back(probability);
    if (reward_) {
      returns_.push_back(gained);
    } else {
      paths_.insert(paths_.end(), path_.begin(), path_.end());
    }
  }

  const Check& check_;
  int64_t states_, actions_, horizon_;
  double gamma_;
  const double *p_, *pi_, *reward_;
  std::vector<int64_t> path_, paths_;
  std::vector<double> probabilities_, returns_;
};

void check_code(const Check& check, int64_t num_transitions, double gamma) {
  check.that(num_transitions >= 1, "num_transitions", ">= 1", num_transitions);
  const double limit = 1 / static_cast<double>(num_transitions);
  check.that(gamma >= 0 && gamma < limit, "gamma", fmt::format("in [0, 1/num_transitions = {})", limit),
             gamma);
}

}  // namespace

SampledTrajectories sample_trajectories(const Tensor& transition, const Tensor& policy, const Tensor& initial,
                                        const Tensor& uniforms) {
  const Check check("tabular.sample_trajectories");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"policy", policy, "SA", Table::distributions},
                       {"initial", initial, "S", Table::distributions},
                       {"uniforms", uniforms, "BU"}});
  if (uniforms.size(1) % 2 == 0)
    check.refuse(ErrorKind::shape, "uniforms",
                 fmt::format("must have 2T + 1 columns, got shape {}", shape_of(uniforms)));
  check.range("uniforms", uniforms, 0, 1);
  const auto p = on_cpu_f64(transition), pi = on_cpu_f64(policy), start = on_cpu_f64(initial),
             u = on_cpu_f64(uniforms);
  const int64_t rows = u.size(0), steps = u.size(1) / 2, n = p.size(0), k = p.size(1);
  SampledTrajectories out{at::empty({rows, steps + 1}, at::kLong), at::empty({rows, steps}, at::kLong)};
  auto* states = out.states.mutable_data_ptr<int64_t>();
  auto* actions = out.actions.mutable_data_ptr<int64_t>();
  for (int64_t b = 0; b < rows; ++b) {
    const double* draw = numbers_of(u) + b * (2 * steps + 1);
    int64_t s = states[b * (steps + 1)] = pick(numbers_of(start), n, draw[0]);
    for (int64_t t = 0; t < steps; ++t) {
      const int64_t a = actions[b * steps + t] = pick(numbers_of(pi) + s * k, k, draw[2 * t + 1]);
      s = states[b * (steps + 1) + t + 1] = pick(numbers_of(p) + (s * k + a) * n, n, draw[2 * t + 2]);
    }
  }
  return out;
}

TrajectoryDistribution trajectory_distribution(const Tensor& transition, const Tensor& policy,
                                               const Tensor& initial, int64_t horizon) {
  const Check check("tabular.trajectory_distribution");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"policy", policy, "SA", Table::distributions},
                       {"initial", initial, "S", Table::distributions}});
  check.that(horizon >= 1, "horizon", ">= 1", horizon);
  const auto p = on_cpu_f64(transition), pi = on_cpu_f64(policy), start = on_cpu_f64(initial);
  return Lister(check, p, pi, start, Tensor(), horizon, 1).trajectories();
}

ReturnDistribution return_distribution(const Tensor& transition, const Tensor& reward, const Tensor& policy,
                                       const Tensor& initial, int64_t horizon, double gamma) {
  const Check check("tabular.return_distribution");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"policy", policy, "SA", Table::distributions},
                       {"initial", initial, "S", Table::distributions}});
  check.that(horizon >= 1, "horizon", ">= 1", horizon);
  check_table_discount(check, gamma, /*finite_horizon=*/true);
  const auto p = on_cpu_f64(transition), r = on_cpu_f64(reward), pi = on_cpu_f64(policy),
             start = on_cpu_f64(initial);
  return Lister(check, p, pi, start, r, horizon, gamma).returns();
}

double encode_return(const Tensor& transitions, int64_t num_transitions, double gamma) {
  const Check check("tabular.encode_return");
  check_tables(check, {{"transitions", transitions, "T"}});
  check_code(check, num_transitions, gamma);
  check.index_range("transitions", transitions, 0, num_transitions);
  const auto k = on_cpu_f64(transitions);
  double value = 0;
  for (int64_t t = k.size(0) - 1; t >= 0; --t) value = numbers_of(k)[t] + gamma * value;
  return value;
}

Tensor decode_return(double value, int64_t num_transitions, double gamma, int64_t horizon) {
  const Check check("tabular.decode_return");
  if (!std::isfinite(value)) check.refuse(ErrorKind::nan, "value", "is NaN or infinite");
  check_code(check, num_transitions, gamma);
  check.that(horizon >= 1, "horizon", ">= 1", horizon);
  // What follows a digit adds at most tail < 1; rounding may take half of the room that is left.
  const double tail = static_cast<double>(num_transitions - 1) * gamma / (1 - gamma);
  const double slack = (1 - tail) / 2;
  std::vector<int64_t> digits;
  double rest = value;
  for (int64_t t = 0; t < horizon; ++t) {
    const double digit = std::floor(rest + slack);
    check.that(digit >= 0 && digit < static_cast<double>(num_transitions), "value",
               "the return of some transitions", value);
    digits.push_back(static_cast<int64_t>(digit));
    rest = gamma > 0 ? (rest - digit) / gamma : 0;
  }
  return at::tensor(digits, at::kLong);
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def(
      "sample_trajectories(Tensor transition, Tensor policy, Tensor initial, Tensor uniforms) -> (Tensor "
      "states, "
      "Tensor actions)",
      [](const Tensor& transition, const Tensor& policy, const Tensor& initial, const Tensor& uniforms) {
        return as_tuple(sample_trajectories(transition, policy, initial, uniforms));
      },
      "Trajectories from given uniform numbers.", {"27"});
  m.def(
      "trajectory_distribution(Tensor transition, Tensor policy, Tensor initial, int horizon) -> (Tensor "
      "trajectories, Tensor probabilities)",
      [](const Tensor& transition, const Tensor& policy, const Tensor& initial, int64_t horizon) {
        return as_tuple(trajectory_distribution(transition, policy, initial, horizon));
      },
      "All trajectories of positive probability.", {"23"});
  m.def(
      "return_distribution(Tensor transition, Tensor reward, Tensor policy, Tensor initial, int horizon, "
      "float "
      "gamma) -> (Tensor returns, Tensor probabilities)",
      [](const Tensor& transition, const Tensor& reward, const Tensor& policy, const Tensor& initial,
         int64_t horizon, double gamma) {
        return as_tuple(return_distribution(transition, reward, policy, initial, horizon, gamma));
      },
      "The return of every trajectory of positive probability.", {"23"});
  m.def("encode_return(Tensor transitions, int num_transitions, float gamma) -> (float value)",
        &encode_return, "A sequence of transitions as one discounted return.", {"23"});
  m.def("decode_return(float value, int num_transitions, float gamma, int horizon) -> (Tensor transitions)",
        &decode_return, "The transitions behind a return of encode_return.", {"23"});
}

}  // namespace plaudit
