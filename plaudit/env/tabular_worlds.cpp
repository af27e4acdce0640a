#include "plaudit/env/tabular_worlds.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/registry.h"

namespace plaudit {

Tensor gridworld(int64_t rows, int64_t cols, const GridworldOptions& options) {
  const Check check("tabular.gridworld");
  check.that(rows >= 1, "rows", ">= 1", rows);
  check.that(cols >= 1, "cols", ">= 1", cols);
  check.that(options.slip >= 0 && options.slip <= 1, "slip", "in [0, 1]", options.slip);
  constexpr int64_t kMoves[5][2] = {{0, 1}, {1, 0}, {0, -1}, {-1, 0}, {0, 0}};  // (down, right) steps
  const int64_t states = rows * cols, actions = options.stay ? 5 : 4;
  const bool alone = states == 1;  // a slip leads nowhere else
  const double slip = alone ? 0 : options.slip / static_cast<double>(states - 1);
  auto transition = at::full({states, actions, states}, slip, at::kDouble);
  auto* p = transition.mutable_data_ptr<double>();
  for (int64_t s = 0; s < states; ++s) {
    for (int64_t a = 0; a < actions; ++a) {
      const int64_t row = s / cols + kMoves[a][0], col = s % cols + kMoves[a][1];
      const bool inside = row >= 0 && row < rows && col >= 0 && col < cols;
      p[(s * actions + a) * states + (inside ? row * cols + col : s)] = alone ? 1 : 1 - options.slip;
    }
  }
  return transition;
}

Tensor sparse_transition(const Tensor& noise, std::optional<double> threshold) {
  const Check check("tabular.sparse_transition");
  check_tables(check, {{"noise", noise, "SAS"}});
  const int64_t states = noise.size(0);
  const double least = threshold.value_or(states < 50 ? 1 : states < 100 ? 1.5 : 1.8);
  const auto x = on_cpu_f64(noise);
  return at::softmax(x.masked_fill(x <= least, -20), -1);
}

Tensor random_transition(int64_t states, int64_t actions, Rng& rng, std::optional<double> threshold) {
  const Check check("tabular.random_mdp");
  check.that(states >= 1, "states", ">= 1", states);
  check.that(actions >= 1, "actions", ">= 1", actions);
  return sparse_transition(rng.normal_tensor({states, actions, states}, at::kDouble), threshold);
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def("gridworld(int rows, int cols, float slip=0., bool stay=True) -> (Tensor transition)",
        [](int64_t rows, int64_t cols, double slip, bool stay) {
          return gridworld(rows, cols, {slip, stay});
        },
        "The transitions of a grid with slips.", {"27", "08", "20"});
  m.def("sparse_transition(Tensor noise, float? threshold=None) -> (Tensor transition)", &sparse_transition,
        "Sparse random transitions from noise.", {"27"});
  m.def("random_mdp(int seed, int states, int actions, float? threshold=None) -> (Tensor transition)",
        [](int64_t seed, int64_t states, int64_t actions, std::optional<double> threshold) {
          Rng rng(static_cast<uint64_t>(seed), "random_mdp");
          return random_transition(states, actions, rng, threshold);
        },
        "Sparse random transitions from a seed.", {"27"});
}

}  // namespace plaudit
