#include "plaudit/plan/tree_search.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_exploration(const Check& check, const Exploration& exploration) {
  check.choice("kind", exploration.kind, {"uct", "p_uct", "var_p_uct"});
  check.that(std::isfinite(exploration.c), "c", "finite", exploration.c);
  check.that(exploration.base > 0, "base", "> 0", exploration.base);
}

// The bonus of an action with `count` returns below a node with `visits`.
double bonus(const Exploration& e, double prior, double count, double visits) {
  const double spread = std::sqrt(std::log(visits)) / (1 + count);
  if (e.kind == "uct") return e.c * spread;
  if (e.kind == "p_uct") return e.c * prior * spread;
  return (std::log((visits + e.base + 1) / e.base) + e.c) * prior * spread;
}

struct DecisionNode;

// An action of a state: the returns that went through it, and the state behind it once visited.
struct ChanceNode {
  int64_t count = 0;
  double sum = 0, best = 0;
  std::unique_ptr<DecisionNode> next;

  void add(double estimate) {
    best = count == 0 ? estimate : std::max(best, estimate);
    sum += estimate;
    ++count;
  }
  double value(const std::string& mode) const {
    if (count == 0) return 0;
    return mode == "best" ? best : sum / static_cast<double>(count);
  }
};

struct DecisionNode {
  DecisionNode(int64_t s, int64_t actions) : state(s), chances(static_cast<size_t>(actions)) {}
  int64_t state;
  double visits = 1;
  std::vector<ChanceNode> chances;
};

class Search {
 public:
  Search(const SearchTable& table, const SearchOptions& options)
      : options_(options),
        actions_(table.next_state.size(1)),
        next_(table.next_state.to(at::kCPU, at::kLong).contiguous()),
        terminal_(table.terminal.ne(0).to(at::kCPU).contiguous()),
        value_(table.value.to(at::kCPU, at::kDouble).contiguous()),
        prior_(table.prior.to(at::kCPU, at::kDouble).contiguous()),
        root_(options.root, actions_) {}

  SearchResult run() {
    for (int64_t i = 0; i < options_.rollouts; ++i) rollout();
    std::vector<int64_t> counts;
    std::vector<double> values;
    for (const auto& chance : root_.chances) {
      counts.push_back(chance.count);
      values.push_back(chance.value(options_.final_mode));
    }
    const auto best = std::max_element(values.begin(), values.end()) - values.begin();
    return {best, at::tensor(counts, at::kLong), at::tensor(values, at::kDouble)};
  }

 private:
  bool is_terminal(int64_t state) const { return terminal_.const_data_ptr<bool>()[state]; }
  double value(int64_t state) const { return value_.const_data_ptr<double>()[state]; }

  size_t select(const DecisionNode& node) const {
    size_t best = 0;
    double best_score = -INFINITY;
    for (size_t a = 0; a < node.chances.size(); ++a) {
      const auto& chance = node.chances[a];
      const double prior = prior_.const_data_ptr<double>()[node.state * actions_ + static_cast<int64_t>(a)];
      const double score = chance.value(options_.value_mode) +
                           bonus(options_.exploration, prior, static_cast<double>(chance.count), node.visits);
      if (score > best_score) {
        best = a;
        best_score = score;
      }
    }
    return best;
  }

  void rollout() {
    std::vector<std::pair<DecisionNode*, ChanceNode*>> path;
    std::vector<double> rewards;
    DecisionNode* node = &root_;
    for (bool known = true; known && !is_terminal(node->state);) {
      const auto action = select(*node);
      auto& chance = node->chances[action];
      path.emplace_back(node, &chance);
      const auto state =
          next_.const_data_ptr<int64_t>()[node->state * actions_ + static_cast<int64_t>(action)];
      rewards.push_back(is_terminal(state) ? value(state) : 0);
      known = chance.next != nullptr;
      if (!known) chance.next = std::make_unique<DecisionNode>(state, actions_);
      node = chance.next.get();
    }
    double estimate = is_terminal(node->state) ? 0 : value(node->state);
    node->visits += 1;
    for (size_t i = path.size(); i-- > 0;) {
      estimate = rewards[i] + options_.gamma * estimate;
      path[i].second->add(estimate);
      path[i].first->visits += 1;
    }
  }

  const SearchOptions& options_;
  int64_t actions_;
  Tensor next_, terminal_, value_, prior_;
  DecisionNode root_;
};

}  // namespace

Tensor uct_scores(const Tensor& values, const Tensor& prior, const Tensor& counts, double parent_visits,
                  const Exploration& exploration) {
  const Check check("decode.uct_scores");
  check.alike({{"values", values}, {"prior", prior}, {"counts", counts}}, 1);
  check.range("counts", counts, 0, INFINITY);
  check.that(parent_visits >= 1, "parent_visits", ">= 1", parent_visits);
  check_exploration(check, exploration);
  const auto v = as_real(values);
  const auto p = exploration.kind == "uct" ? at::ones_like(v) : as_real(prior).to(v.scalar_type());
  return v + p * bonus(exploration, 1, 0, parent_visits) / (1 + as_real(counts).to(v.scalar_type()));
}

SearchResult mcts_search(const SearchTable& table, const SearchOptions& options) {
  const Check check("decode.mcts_search");
  check.not_empty("next_state", table.next_state);
  check.dim("next_state", table.next_state, 2);
  const auto states = table.next_state.size(0);
  check.shape("terminal", table.terminal, {states});
  check.shape("value", table.value, {states});
  check.same_shape("next_state", table.next_state, "prior", table.prior);
  if (table.next_state.is_floating_point()) check.refuse(ErrorKind::type, "next_state", "must hold integers");
  check.finite("value", table.value);
  check.finite("prior", table.prior);
  check.index_range("next_state", table.next_state, 0, states);
  check.that(options.root >= 0 && options.root < states, "root", fmt::format("in [0, {})", states),
             options.root);
  if (table.terminal[options.root].ne(0).item<bool>()) check.refuse(ErrorKind::value, "root", "is terminal");
  check.that(options.rollouts >= 1, "rollouts", ">= 1", options.rollouts);
  check.that(options.gamma >= 0 && options.gamma <= 1, "gamma", "in [0, 1]", options.gamma);
  check_exploration(check, options.exploration);
  check.choice("value_mode", options.value_mode, {"best", "mean"});
  check.choice("final_mode", options.final_mode, {"best", "mean"});
  return Search(table, options).run();
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "uct_scores(Tensor values, Tensor prior, Tensor counts, float parent_visits, str kind='p_uct', float "
      "c=6.36396103068, float base=50.) -> (Tensor scores)",
      [](const Tensor& values, const Tensor& prior, const Tensor& counts, double visits, std::string kind,
         double c, double base) {
        return uct_scores(values, prior, counts, visits, {std::move(kind), c, base});
      },
      "Value plus exploration bonus of each action of a tree node.", {"57"});
  m.def(
      "mcts_search(Tensor next_state, Tensor terminal, Tensor value, Tensor prior, int root=0, int "
      "rollouts=10, float "
      "c=1., float gamma=0.9, str kind='p_uct', str value_mode='best', str final_mode='mean', float "
      "base=50.) -> "
      "(int action, Tensor counts, Tensor values)",
      [](const Tensor& next_state, const Tensor& terminal, const Tensor& value, const Tensor& prior,
         int64_t root, int64_t rollouts, double c, double gamma, std::string kind, std::string value_mode,
         std::string final_mode, double base) {
        return as_tuple(mcts_search({next_state, terminal, value, prior}, {root,
                                                                           rollouts,
                                                                           {std::move(kind), c, base},
                                                                           gamma,
                                                                           std::move(value_mode),
                                                                           std::move(final_mode)}));
      },
      "Tree search on a deterministic table of states.", {"57"});
}

}  // namespace plaudit
