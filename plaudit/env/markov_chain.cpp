#include "plaudit/env/markov_chain.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

constexpr double kAbsent = 1e-12;

using Edges = std::vector<std::vector<int64_t>>;

Edges edges_of(const Tensor& chain) {
  const int64_t n = chain.size(0);
  const double* p = numbers_of(chain);
  Edges edges(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      if (p[i * n + j] > kAbsent) edges[static_cast<size_t>(i)].push_back(j);
    }
  }
  return edges;
}

// Tarjan's strongly connected components of what `roots` reach, without recursion.
class Components {
 public:
  Components(const Edges& edges, const std::vector<int64_t>& roots)
      : edges_(edges), number_(edges.size(), -1), low_(edges.size()), component_(edges.size(), -1) {
    for (const int64_t root : roots) {
      if (number_[at(root)] < 0) search(root);
    }
  }

  // Members of each component; component(i) is -1 for a state that is not reached.
  const std::vector<std::vector<int64_t>>& members() const { return members_; }
  int64_t component(int64_t state) const { return component_[at(state)]; }

 private:
  struct Frame {
    int64_t state;
    size_t next;
  };
  static size_t at(int64_t i) { return static_cast<size_t>(i); }

  void enter(int64_t state, std::vector<Frame>& calls) {
    number_[at(state)] = low_[at(state)] = count_++;
    open_.push_back(state);
    calls.push_back({state, 0});
  }

  void search(int64_t root) {
    std::vector<Frame> calls;
    enter(root, calls);
    while (!calls.empty()) {
      auto& frame = calls.back();
      const auto i = at(frame.state);
      if (frame.next < edges_[i].size()) {
        const int64_t to = edges_[i][frame.next++];
        if (number_[at(to)] < 0) {
          enter(to, calls);
        } else if (component_[at(to)] < 0) {
          low_[i] = std::min(low_[i], number_[at(to)]);
        }
        continue;
      }
      const int64_t done = frame.state;
      calls.pop_back();
      if (!calls.empty()) {
        auto& parent = low_[at(calls.back().state)];
        parent = std::min(parent, low_[i]);
      }
      if (low_[i] == number_[i]) close(done);
    }
  }

  void close(int64_t root) {
    std::vector<int64_t> group;
    int64_t state;
    do {
      state = open_.back();
      open_.pop_back();
      component_[at(state)] = static_cast<int64_t>(members_.size());
      group.push_back(state);
    } while (state != root);
    std::sort(group.begin(), group.end());
    members_.push_back(std::move(group));
  }

  const Edges& edges_;
  std::vector<int64_t> number_, low_, component_, open_;
  std::vector<std::vector<int64_t>> members_;
  int64_t count_ = 0;
};

Tensor index_of(const std::vector<int64_t>& states) {
  return at::tensor(states, at::kLong);
}

Tensor block(const Tensor& chain, const Tensor& rows, const Tensor& columns) {
  return chain.index_select(0, rows).index_select(1, columns);
}

}  // namespace

std::vector<ClosedClass> closed_classes(const Tensor& chain, const Tensor& initial) {
  const auto edges = edges_of(chain);
  std::vector<int64_t> roots;
  for (int64_t i = 0; i < initial.size(0); ++i) {
    if (numbers_of(initial)[i] > kAbsent) roots.push_back(i);
  }
  const Components components(edges, roots);

  std::vector<ClosedClass> closed;
  std::vector<int64_t> passing;  // reached states outside every closed class
  for (const auto& group : components.members()) {
    const int64_t own = components.component(group.front());
    const bool stays = std::all_of(group.begin(), group.end(), [&](int64_t i) {
      const auto& out = edges[static_cast<size_t>(i)];
      return std::all_of(out.begin(), out.end(), [&](int64_t j) { return components.component(j) == own; });
    });
    if (stays) {
      closed.push_back({group, 0});
    } else {
      passing.insert(passing.end(), group.begin(), group.end());
    }
  }
  // Expected visits of the passing states, then the mass that leaves them into each class.
  Tensor visits;
  const auto through = index_of(passing);
  if (!passing.empty()) {
    const auto inner = block(chain, through, through);
    visits = solve_discounted(inner.t(), initial.index_select(0, through), 1);
  }
  double total = 0;
  for (auto& group : closed) {
    const auto states = index_of(group.states);
    auto mass = initial.index_select(0, states).sum();
    if (visits.defined()) mass = mass + at::matmul(visits, block(chain, through, states)).sum();
    group.probability = mass.item<double>();
    total += group.probability;
  }
  for (auto& group : closed) group.probability /= total;
  return closed;
}

Tensor stationary_law(const Tensor& chain, const ClosedClass& closed) {
  const auto states = index_of(closed.states);
  const int64_t n = states.size(0);
  // (P^T - I) x = 0 with its last equation replaced by sum x = 1.
  auto system = block(chain, states, states).t() - at::eye(n, chain.options());
  system = at::cat({system.slice(0, 0, n - 1), at::ones({1, n}, chain.options())});
  auto right = at::zeros({n}, chain.options());
  right[n - 1] = 1;
  return at::linalg_solve(system, right);
}

Tensor limit_average_reward(const Tensor& transition, const Tensor& reward, const Tensor& policy,
                            const Tensor& initial) {
  const Check check("tabular.limit_average_reward");
  check_tables(check, {{"transition", transition, "SAS", Table::distributions},
                       {"reward", reward, "SAS"},
                       {"policy", policy, "SA", Table::distributions},
                       {"initial", initial, "S", Table::distributions}});
  const auto p = on_cpu_f64(transition), pi = on_cpu_f64(policy), start = on_cpu_f64(initial);
  const auto chain = chain_of(p, pi).contiguous();
  const auto step = (pi * expect_next(p, on_cpu_f64(reward))).sum(1);
  auto value = at::zeros({}, at::kDouble);
  for (const auto& closed : closed_classes(chain, start)) {
    const auto rewards = step.index_select(0, index_of(closed.states));
    value = value + closed.probability * stationary_law(chain, closed).dot(rewards);
  }
  return value;
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def(
      "limit_average_reward(Tensor transition, Tensor reward, Tensor policy, Tensor initial) -> (Tensor "
      "value)",
      &limit_average_reward, "The long-run average reward of a stationary policy.", {"23"});
}

}  // namespace plaudit
