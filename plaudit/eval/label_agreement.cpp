#include "plaudit/eval/label_agreement.h"

#include <ATen/ATen.h>

#include <limits>
#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

// The largest sum of gain[i][column(i)] over permutations of n columns: the Hungarian method with potentials,
// O(n^3). Rows join one at a time along a shortest augmenting path.
double best_matching(const std::vector<std::vector<double>>& gain) {
  const size_t n = gain.size();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> u(n + 1), v(n + 1);
  std::vector<size_t> row_of(n + 1), way(n + 1);  // 1-based, 0 stands for "none"
  for (size_t i = 1; i <= n; ++i) {
    row_of[0] = i;
    size_t column = 0;
    std::vector<double> least(n + 1, infinity);
    std::vector<bool> used(n + 1);
    while (row_of[column] != 0) {
      used[column] = true;
      const size_t row = row_of[column];
      double delta = infinity;
      size_t next = 0;
      for (size_t j = 1; j <= n; ++j) {
        if (used[j]) continue;
        const double slack = -gain[row - 1][j - 1] - u[row] - v[j];
        if (slack < least[j]) least[j] = slack, way[j] = column;
        if (least[j] < delta) delta = least[j], next = j;
      }
      for (size_t j = 0; j <= n; ++j) {
        if (used[j]) {
          u[row_of[j]] += delta, v[j] -= delta;
        } else {
          least[j] -= delta;
        }
      }
      column = next;
    }
    for (; column != 0; column = way[column]) row_of[column] = row_of[way[column]];
  }
  double total = 0;
  for (size_t j = 1; j <= n; ++j) total += gain[row_of[j] - 1][j - 1];
  return total;
}

// Groups numbered 0, 1, ... in ascending order of their ids.
std::pair<Tensor, int64_t> renumbered(const Tensor& ids) {
  const auto [unique, inverse] = at::_unique(ids.to(at::kLong), /*sorted=*/true, /*return_inverse=*/true);
  return {inverse, unique.size(0)};
}

}  // namespace

Tensor label_accuracy(const Tensor& labels, const Tensor& truth) {
  const Check check("eval.label_accuracy");
  check.alike({{"labels", labels}, {"truth", truth}}, 1);
  return labels.gt(0.5).eq(truth.gt(0.5)).to(at::kDouble).mean();
}

PreferenceTv preference_tv(const Tensor& prob_a, const Tensor& prob_b) {
  const Check check("eval.preference_tv");
  check.alike({{"prob_a", prob_a}, {"prob_b", prob_b}}, 1);
  check.range("prob_a", prob_a, 0, 1);
  check.range("prob_b", prob_b, 0, 1);
  const auto difference = (as_real(prob_a) - as_real(prob_b)).abs();
  return {difference.mean(), difference};
}

double cluster_accuracy(const Tensor& assignment, const Tensor& truth) {
  const Check check("eval.cluster_accuracy");
  check.alike({{"assignment", assignment}, {"truth", truth}}, 1);
  check.that(assignment.min().item<double>() >= 0, "assignment", ">= 0", assignment.min().item<double>());
  check.that(truth.min().item<double>() >= 0, "truth", ">= 0", truth.min().item<double>());
  const auto [found, found_groups] = renumbered(assignment.cpu());
  const auto [known, known_groups] = renumbered(truth.cpu());
  const auto n = static_cast<size_t>(std::max(found_groups, known_groups));
  std::vector<std::vector<double>> shared(n, std::vector<double>(n));
  for (int64_t i = 0; i < found.size(0); ++i)
    shared[static_cast<size_t>(found[i].item<int64_t>())][static_cast<size_t>(known[i].item<int64_t>())] += 1;
  return best_matching(shared) / static_cast<double>(found.size(0));
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("label_accuracy(Tensor labels, Tensor truth) -> (Tensor accuracy)", &label_accuracy,
        "Share of soft labels on the right side of one half.", {"01"});
  m.def("preference_tv(Tensor prob_a, Tensor prob_b) -> (Tensor tv, Tensor per_pair)",
        [](const Tensor& a, const Tensor& b) { return as_tuple(preference_tv(a, b)); },
        "Total variation between two annotators' preference probabilities.", {"38"});
  m.def("cluster_accuracy(Tensor assignment, Tensor truth) -> (float accuracy)", &cluster_accuracy,
        "Share of users in the right group under the best renaming of the groups.", {"38"});
}

}  // namespace plaudit
