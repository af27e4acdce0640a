#include "plaudit/env/product_chain.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/registry.h"
#include "plaudit/env/markov_chain.h"

namespace plaudit {
namespace {

constexpr double kAbsentEdge = 1e-12;  // entries up to this are absent edges

struct Product {
  std::vector<int64_t> machine_state;  // of every product state
  Tensor chain;                        // [n,n]
  Tensor initial;                      // [n]
  Tensor reward;                       // [n], expected on leaving; zero without a machine reward
};

// Numbers the reached pairs (machine state, MDP state) in breadth-first order and builds their chain.
class ProductBuilder {
 public:
  ProductBuilder(const Tensor& transition, const Tensor& policy, const Machine& machine, const Tensor& reward)
      : states_(transition.size(0)),
        actions_(transition.size(1)),
        p_(numbers_of(transition)),
        pi_(numbers_of(policy)),
        moves_(machine.transition.const_data_ptr<int64_t>()),
        reward_(reward.defined() ? numbers_of(reward) : nullptr),
        number_(static_cast<size_t>(machine.transition.size(0) * states_), -1) {}

  Product build(const Tensor& initial, int64_t start) {
    for (int64_t s = 0; s < states_; ++s) {
      if (numbers_of(initial)[s] > kAbsentEdge) starts_.push_back({number(start, s), numbers_of(initial)[s]});
    }
    for (size_t i = 0; i < pairs_.size(); ++i) leave(static_cast<int64_t>(i));
    const auto n = static_cast<int64_t>(pairs_.size());
    Product product{
        {}, at::zeros({n, n}, at::kDouble), at::zeros({n}, at::kDouble), at::zeros({n}, at::kDouble)};
    for (const auto& pair : pairs_) product.machine_state.push_back(pair.machine);
    for (const auto& edge : edges_)
      product.chain.mutable_data_ptr<double>()[edge.from * n + edge.to] += edge.probability;
    for (size_t i = 0; i < pays_.size(); ++i) product.reward.mutable_data_ptr<double>()[i] = pays_[i];
    for (const auto& [state, mass] : starts_) product.initial.mutable_data_ptr<double>()[state] += mass;
    return product;
  }

 private:
  struct Pair {
    int64_t machine, state;
  };
  struct Edge {
    int64_t from, to;
    double probability;
  };

  int64_t number(int64_t machine, int64_t state) {
    auto& id = number_[static_cast<size_t>(machine * states_ + state)];
    if (id < 0) {
      id = static_cast<int64_t>(pairs_.size());
      pairs_.push_back({machine, state});
    }
    return id;
  }

  void leave(int64_t from) {
    const auto [u, s] = pairs_[static_cast<size_t>(from)];
    double pay = 0;
    for (int64_t a = 0; a < actions_; ++a) {
      for (int64_t next = 0; next < states_; ++next) {
        const double chance = pi_[s * actions_ + a] * p_[(s * actions_ + a) * states_ + next];
        if (chance <= kAbsentEdge) continue;
        const int64_t entry = ((u * states_ + s) * actions_ + a) * states_ + next;
        edges_.push_back({from, number(moves_[entry], next), chance});
        if (reward_) pay += chance * reward_[entry];
      }
    }
    pays_.push_back(pay);
  }

  int64_t states_, actions_;
  const double *p_, *pi_;
  const int64_t* moves_;
  const double* reward_;
  std::vector<int64_t> number_;
  std::vector<Pair> pairs_;
  std::vector<Edge> edges_;
  std::vector<double> pays_;
  std::vector<std::pair<int64_t, double>> starts_;
};

Product product_of(const Tensor& transition, const Tensor& policy, const Tensor& initial,
                   const Machine& machine, const Tensor& reward) {
  const auto p = on_cpu_f64(transition), pi = on_cpu_f64(policy), start = on_cpu_f64(initial);
  const auto r = reward.defined() ? on_cpu_f64(reward) : Tensor();
  const Machine moves{machine.transition.to(at::kCPU, at::kLong).contiguous(), machine.start};
  return ProductBuilder(p, pi, moves, r).build(start, machine.start);
}

void check_machine(const Check& check, std::string_view name, const Machine& machine) {
  check.index_range(name, machine.transition, 0, machine.transition.size(0));
  check.that(machine.start >= 0 && machine.start < machine.transition.size(0), "start",
             fmt::format("in [0, {})", machine.transition.size(0)), machine.start);
}

}  // namespace

Tensor reward_machine_return(const Tensor& transition, const Tensor& policy, const Tensor& initial,
                             const Machine& machine, const Tensor& machine_reward, double gamma) {
  const Check check("tabular.reward_machine_return");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"policy", policy, "SA", Table::distributions},
                       {"initial", initial, "S", Table::distributions},
                       {"machine_transition", machine.transition, "USAS"},
                       {"machine_reward", machine_reward, "USAS"}});
  check_machine(check, "machine_transition", machine);
  check_table_discount(check, gamma);
  const auto product = product_of(transition, policy, initial, machine, machine_reward);
  return solve_discounted(product.chain, product.reward, gamma).dot(product.initial);
}

Tensor omega_regular_probability(const Tensor& transition, const Tensor& policy, const Tensor& initial,
                                 const Machine& automaton, const Tensor& rabin_fin, const Tensor& rabin_inf) {
  const Check check("tabular.omega_regular_probability");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"policy", policy, "SA", Table::distributions},
                       {"initial", initial, "S", Table::distributions},
                       {"automaton_transition", automaton.transition, "QSAS"},
                       {"rabin_fin", rabin_fin, "KQ"},
                       {"rabin_inf", rabin_inf, "KQ"}});
  check_machine(check, "automaton_transition", automaton);
  const auto product = product_of(transition, policy, initial, automaton, Tensor());
  const auto fin = on_cpu_f64(rabin_fin), inf = on_cpu_f64(rabin_inf);
  const int64_t pairs = fin.size(0), states = fin.size(1);

  double probability = 0;
  for (const auto& closed : closed_classes(product.chain, product.initial)) {
    const auto recurs = [&](const Tensor& marks, int64_t k) {
      return std::any_of(closed.states.begin(), closed.states.end(), [&](int64_t i) {
        return numbers_of(marks)[k * states + product.machine_state[static_cast<size_t>(i)]] != 0;
      });
    };
    for (int64_t k = 0; k < pairs; ++k) {
      if (!recurs(fin, k) && recurs(inf, k)) {
        probability += closed.probability;
        break;
      }
    }
  }
  return at::scalar_tensor(probability, at::kDouble);
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def(
      "reward_machine_return(Tensor transition, Tensor policy, Tensor initial, Tensor machine_transition, "
      "Tensor "
      "machine_reward, float gamma, int start=0) -> (Tensor value)",
      [](const Tensor& transition, const Tensor& policy, const Tensor& initial, const Tensor& moves,
         const Tensor& reward, double gamma, int64_t start) {
        return reward_machine_return(transition, policy, initial, {moves, start}, reward, gamma);
      },
      "Exact discounted return of a reward machine.", {"23", "26"});
  m.def(
      "omega_regular_probability(Tensor transition, Tensor policy, Tensor initial, Tensor "
      "automaton_transition, "
      "Tensor rabin_fin, Tensor rabin_inf, int start=0) -> (Tensor probability)",
      [](const Tensor& transition, const Tensor& policy, const Tensor& initial, const Tensor& moves,
         const Tensor& fin, const Tensor& inf, int64_t start) {
        return omega_regular_probability(transition, policy, initial, {moves, start}, fin, inf);
      },
      "The probability that a Rabin automaton accepts what a policy does.", {"23"});
}

}  // namespace plaudit
