#include "plaudit/plan/tree_search.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

// The factor of 1/(1+n), without the prior.
double exploration(double visits, const UctOptions& options) {
  const double scale = options.kind == "var_p_uct"
                           ? std::log((visits + options.base + 1) / options.base) + options.c
                           : options.c;
  return scale * std::sqrt(std::log(visits));
}

void check_uct(const Check& check, const UctOptions& options) {
  check.choice("kind", options.kind, {"uct", "p_uct", "var_p_uct"});
  check.that(std::isfinite(options.c), "c", "finite", options.c);
  check.that(options.base > 0, "base", "> 0", options.base);
}

void check_not_negative(const Check& check, std::string_view name, const Tensor& t) {
  if (!readable(t)) return;
  const auto least = t.min().item<double>();
  check.that(least >= 0, name, ">= 0", least);
}

// What came back through one action of a node.
struct Edge {
  int64_t count = 0;
  double sum = 0;
  double best = -std::numeric_limits<double>::infinity();
  int64_t child = -1;  // node, -1 before the first visit

  double value(const std::string& mode) const {
    if (count == 0) return 0;
    return mode == "best" ? best : sum / static_cast<double>(count);
  }
};

struct Node {
  int64_t state;
  int64_t visits = 1;
  std::vector<Edge> edges;
};

class Search {
 public:
  Search(const SearchTable& table, const SearchOptions& options)
      : actions_(table.prior.size(1)),
        next_(table.next_state.to(at::kCPU, at::kLong).contiguous()),
        terminal_(table.terminal.ne(0).cpu().contiguous()),
        value_(on_cpu_f64(table.value)),
        prior_(on_cpu_f64(table.prior)),
        options_(options) {
    add_node(options.root);
  }

  void rollout() {
    std::vector<std::pair<size_t, size_t>> path;  // (node, action)
    size_t node = 0;
    while (!terminal(nodes_[node].state)) {
      const size_t action = select(nodes_[node]);
      path.emplace_back(node, action);
      const int64_t known = nodes_[node].edges[action].child;
      if (known < 0) {
        const auto leaf = add_node(successor(nodes_[node].state, action));
        nodes_[node].edges[action].child = static_cast<int64_t>(leaf);
        node = leaf;
        break;
      }
      node = static_cast<size_t>(known);
    }
    backup(path, node);
  }

  const Node& root() const { return nodes_.front(); }

 private:
  size_t add_node(int64_t state) {
    nodes_.push_back({.state = state, .edges = std::vector<Edge>(static_cast<size_t>(actions_))});
    return nodes_.size() - 1;
  }
  bool terminal(int64_t state) const { return terminal_.const_data_ptr<bool>()[state]; }
  double value(int64_t state) const { return value_.const_data_ptr<double>()[state]; }
  int64_t successor(int64_t state, size_t action) const {
    return next_.const_data_ptr<int64_t>()[state * actions_ + static_cast<int64_t>(action)];
  }

  size_t select(const Node& node) const {
    const double bonus = exploration(static_cast<double>(node.visits), options_.uct);
    const auto* prior = prior_.const_data_ptr<double>() + node.state * actions_;
    size_t chosen = 0;
    double best = -std::numeric_limits<double>::infinity();
    for (size_t a = 0; a < node.edges.size(); ++a) {
      const auto& edge = node.edges[a];
      const double weight = options_.uct.kind == "uct" ? 1 : prior[a];
      const double score =
          edge.value(options_.value_mode) + bonus * weight / (1 + static_cast<double>(edge.count));
      if (score > best) best = score, chosen = a;
    }
    return chosen;
  }

  void backup(const std::vector<std::pair<size_t, size_t>>& path, size_t leaf) {
    const int64_t state = nodes_[leaf].state;
    ++nodes_[leaf].visits;
    double estimate = terminal(state) ? 0 : value(state);
    double reward = terminal(state) ? value(state) : 0;  // only the last edge can enter a terminal state
    for (auto step = path.rbegin(); step != path.rend(); ++step, reward = 0) {
      estimate = reward + options_.gamma * estimate;
      auto& edge = nodes_[step->first].edges[step->second];
      ++edge.count;
      edge.sum += estimate;
      edge.best = std::max(edge.best, estimate);
      ++nodes_[step->first].visits;
    }
  }

  int64_t actions_;
  Tensor next_, terminal_, value_, prior_;
  const SearchOptions& options_;
  std::vector<Node> nodes_;
};

void check_search(const Check& check, const SearchTable& table, const SearchOptions& options) {
  check.not_empty("next_state", table.next_state);
  check.dim("next_state", table.next_state, 2);
  const int64_t states = table.next_state.size(0);
  check.shape("terminal", table.terminal, {states});
  check.shape("value", table.value, {states});
  check.same_shape("next_state", table.next_state, "prior", table.prior);
  check.finite("value", table.value);
  check.finite("prior", table.prior);
  check.index_range("next_state", table.next_state, 0, states);
  check_not_negative(check, "prior", table.prior);
  check.that(options.root >= 0 && options.root < states, "root", fmt::format("in [0, {})", states),
             options.root);
  check.that(table.terminal[options.root].item<double>() == 0, "root", "a state that is not terminal",
             options.root);
  check.that(options.rollouts >= 1, "rollouts", ">= 1", options.rollouts);
  check_uct(check, options.uct);
  check.that(options.gamma >= 0 && options.gamma <= 1, "gamma", "in [0, 1]", options.gamma);
  check.choice("value_mode", options.value_mode, {"best", "mean"});
  check.choice("final_mode", options.final_mode, {"best", "mean"});
}

}  // namespace

Tensor uct_scores(const Tensor& values, const Tensor& prior, const Tensor& counts, int64_t parent_visits,
                  const UctOptions& options) {
  const Check check("decode.uct_scores");
  check.alike({{"values", values}, {"prior", prior}, {"counts", counts}}, 1);
  check_not_negative(check, "prior", prior);
  check_not_negative(check, "counts", counts);
  check.that(parent_visits >= 1, "parent_visits", ">= 1", parent_visits);
  check_uct(check, options);
  const auto v = as_real(values);
  const auto bonus =
      exploration(static_cast<double>(parent_visits), options) / (1 + counts.to(v.scalar_type()));
  return v + (options.kind == "uct" ? bonus : bonus * prior.to(v.scalar_type()));
}

SearchResult mcts_search(const SearchTable& table, const SearchOptions& options) {
  const Check check("decode.mcts_search");
  check_search(check, table, options);
  Search search(table, options);
  for (int64_t i = 0; i < options.rollouts; ++i) search.rollout();
  std::vector<int64_t> counts;
  std::vector<double> values;
  for (const auto& edge : search.root().edges) {
    counts.push_back(edge.count);
    values.push_back(edge.value(options.final_mode));
  }
  const auto action = std::max_element(values.begin(), values.end()) - values.begin();
  return {action, at::tensor(counts, at::kLong), at::tensor(values, at::kDouble)};
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "uct_scores(Tensor values, Tensor prior, Tensor counts, int parent_visits, str kind='p_uct', float "
      "c=6.36396103068, float base=50.) -> (Tensor scores)",
      [](const Tensor& values, const Tensor& prior, const Tensor& counts, int64_t visits, std::string kind,
         double c, double base) {
        return uct_scores(values, prior, counts, visits, {std::move(kind), c, base});
      },
      "Selection scores of a tree search.", {"57"});
  m.def(
      "mcts_search(Tensor next_state, Tensor terminal, Tensor value, Tensor prior, int rollouts, int root=0, "
      "float c=1., float gamma=0.9, str kind='p_uct', str value_mode='best', str final_mode='mean', float "
      "base=50.) -> (int action, Tensor counts, Tensor values)",
      [](const Tensor& next_state, const Tensor& terminal, const Tensor& value, const Tensor& prior,
         int64_t rollouts, int64_t root, double c, double gamma, std::string kind, std::string value_mode,
         std::string final_mode, double base) {
        return as_tuple(
            mcts_search({next_state, terminal, value, prior}, {.root = root,
                                                               .rollouts = rollouts,
                                                               .uct = {std::move(kind), c, base},
                                                               .gamma = gamma,
                                                               .value_mode = std::move(value_mode),
                                                               .final_mode = std::move(final_mode)}));
      },
      "Monte-Carlo tree search on a table of states.", {"57"});
}

}  // namespace plaudit
