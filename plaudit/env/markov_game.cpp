#include "plaudit/env/markov_game.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/env/quantal_response.h"
#include "plaudit/env/value_iteration.h"

namespace plaudit {
namespace {

void check_temperature(const Check& check, std::string_view name, double value, bool zero_allowed) {
  check.that(zero_allowed ? value >= 0 : value > 0, name, zero_allowed ? ">= 0" : "> 0", value);
}

Tensor entropy(const Tensor& policy) {
  return -at::xlogy(policy, policy).sum(1);
}

// Values of two policies in a checked game.
GameValues evaluate(const Tensor& p, const Tensor& r, const Tensor& x, const Tensor& y, double gamma,
                    const GameTemperatures& temperatures) {
  const auto joint = x.unsqueeze(2) * y.unsqueeze(1);  // [S,A,B]
  const auto step =
      (joint * r).sum({1, 2}) + temperatures.protagonist * entropy(x) - temperatures.adversary * entropy(y);
  const auto chain = (joint.unsqueeze(3) * p).sum({1, 2});
  const auto values = solve_discounted(chain, step, gamma);
  return {values, r + gamma * at::matmul(p, values)};
}

// One equilibrium per state, warm-started from the last sweep.
class StageGames {
 public:
  StageGames(const Check& check, const Tensor& transition, const Tensor& reward, double gamma, double row,
             double column)
      : check_(check),
        p_(transition),
        r_(reward),
        gamma_(gamma),
        row_(row),
        column_(column),
        logits_(static_cast<size_t>(reward.size(0))) {}

  // Regularised values of the stage games that `values` defines; keeps their policies.
  Tensor sweep(const Tensor& values) {
    const int64_t states = r_.size(0), a = r_.size(1), b = r_.size(2);
    const auto q = (r_ + gamma_ * at::matmul(p_, values)).contiguous();
    x = at::empty({states, a}, at::kDouble);
    y = at::empty({states, b}, at::kDouble);
    auto out = at::empty({states}, at::kDouble);
    for (int64_t s = 0; s < states; ++s) {
      const auto game = solve_game(check_, "reward", numbers_of(q) + s * a * b, a, b, row_, column_,
                                   logits_[static_cast<size_t>(s)]);
      std::copy(game.row.begin(), game.row.end(), x.mutable_data_ptr<double>() + s * a);
      std::copy(game.column.begin(), game.column.end(), y.mutable_data_ptr<double>() + s * b);
      out.mutable_data_ptr<double>()[s] = game.regularised_value;
    }
    return out;
  }

  Tensor x, y;

 private:
  Check check_;
  Tensor p_, r_;
  double gamma_, row_, column_;
  std::vector<std::vector<double>> logits_;
};

}  // namespace

SoftGame soft_markov_game(const Tensor& transition, const Tensor& reward, double gamma,
                          double temperature_protagonist, double temperature_adversary) {
  const Check check("tabular.soft_markov_game");
  check_tables(check, {{"transition", transition, "SABS", Table::distributions}, {"reward", reward, "SAB"}});
  check_table_discount(check, gamma);
  check_temperature(check, "temperature_protagonist", temperature_protagonist, false);
  check_temperature(check, "temperature_adversary", temperature_adversary, false);
  const auto p = on_cpu_f64(transition), r = on_cpu_f64(reward);
  StageGames games(check, p, r, gamma, temperature_protagonist, temperature_adversary);
  auto values = at::zeros({r.size(0)}, at::kDouble);
  auto next = games.sweep(values);
  double error = (next - values).abs().max().item<double>();
  // Evaluating the stage equilibria is Newton's step for V = T(V); where it does not help, one sweep of T
  // does, which contracts by gamma.
  while (error > 1e-11 * (1 - gamma) * (1 + next.abs().max().item<double>())) {
    const auto jump =
        evaluate(p, r, games.x, games.y, gamma, {temperature_protagonist, temperature_adversary});
    auto trial = games.sweep(jump.values);
    double now = (trial - jump.values).abs().max().item<double>();
    if (now < gamma * error) {
      values = jump.values;
    } else {
      values = next;
      trial = games.sweep(values);
      now = (trial - values).abs().max().item<double>();
    }
    if (now >= error) break;  // rounding
    next = trial;
    error = now;
  }
  return {next, games.x, games.y};
}

GameValues markov_game_evaluation(const Tensor& transition, const Tensor& reward, const Tensor& protagonist,
                                  const Tensor& adversary, double gamma,
                                  const GameTemperatures& temperatures) {
  const Check check("tabular.markov_game_evaluation");
  check_tables(check, {{"transition", transition, "SABS", Table::distributions},
                       {"reward", reward, "SAB"},
                       {"protagonist", protagonist, "SA", Table::distributions},
                       {"adversary", adversary, "SB", Table::distributions}});
  check_table_discount(check, gamma);
  check_temperature(check, "temperature_protagonist", temperatures.protagonist, true);
  check_temperature(check, "temperature_adversary", temperatures.adversary, true);
  return evaluate(on_cpu_f64(transition), on_cpu_f64(reward), on_cpu_f64(protagonist).clamp_min(0),
                  on_cpu_f64(adversary).clamp_min(0), gamma, temperatures);
}

Tensor robust_value(const Tensor& transition, const Tensor& reward, const Tensor& protagonist, double gamma) {
  const Check check("tabular.robust_value");
  check_tables(check, {{"transition", transition, "SABS", Table::distributions},
                       {"reward", reward, "SAB"},
                       {"protagonist", protagonist, "SA", Table::distributions}});
  check_table_discount(check, gamma);
  const auto x = on_cpu_f64(protagonist).unsqueeze(2);
  const auto p = (x.unsqueeze(3) * on_cpu_f64(transition)).sum(1), r = (x * on_cpu_f64(reward)).sum(1);
  return -solve_optimal(p, -r, gamma).values;  // the adversary maximises -r
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def(
      "soft_markov_game(Tensor transition, Tensor reward, float gamma, float temperature_protagonist, float "
      "temperature_adversary) -> (Tensor values, Tensor protagonist, Tensor adversary)",
      [](const Tensor& transition, const Tensor& reward, double gamma, double protagonist, double adversary) {
        return as_tuple(soft_markov_game(transition, reward, gamma, protagonist, adversary));
      },
      "The entropy-regularised equilibrium of a zero-sum Markov game.", {"24"});
  m.def(
      "markov_game_evaluation(Tensor transition, Tensor reward, Tensor protagonist, Tensor adversary, float "
      "gamma, "
      "float temperature_protagonist=0., float temperature_adversary=0.) -> (Tensor values, Tensor q)",
      [](const Tensor& transition, const Tensor& reward, const Tensor& protagonist, const Tensor& adversary,
         double gamma, double alpha_p, double alpha_a) {
        return as_tuple(
            markov_game_evaluation(transition, reward, protagonist, adversary, gamma, {alpha_p, alpha_a}));
      },
      "Exact values of two policies in a zero-sum Markov game.", {"24"});
  m.def("robust_value(Tensor transition, Tensor reward, Tensor protagonist, float gamma) -> (Tensor values)",
        &robust_value, "The value of a policy under its adversary's best response.", {"24"});
}

}  // namespace plaudit
