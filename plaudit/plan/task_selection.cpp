#include "plaudit/plan/task_selection.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

// The nearest integer, the lower on ties; the slack absorbs rounding of the position.
int64_t nearest_task(double position) {
  return static_cast<int64_t>(std::ceil(position - 0.5 - 1e-9));
}

Tensor checked_transfer(const Check& check, const Tensor& transfer) {
  check_arguments(check, {{"transfer", transfer, "NN"}});
  return on_cpu_f64(transfer);
}

constexpr double kTie = 1e-12;

void check_steps(const Check& check, std::string_view name, int64_t steps, int64_t tasks) {
  check.that(steps >= 1 && steps <= tasks, name, fmt::format("in [1, {}]", tasks), steps);
}

Tensor acquisition(const Tensor& upper, const Tensor& best, const Tensor& tasks, double slope) {
  const auto distance = (tasks.unsqueeze(1) - tasks.unsqueeze(0)).abs();
  return (upper.unsqueeze(1) - slope * distance - best).clamp_min(0).mean(1);
}

// The first of the largest scores among tasks that are not taken. Tasks on either side of the middle have
// equal scores by symmetry; which of them rounding favours must not decide.
int64_t best_free(const Tensor& scores, const std::vector<int64_t>& taken) {
  auto open = scores.clone();
  for (const int64_t task : taken) open[task] = -std::numeric_limits<double>::infinity();
  const auto most = open.max();
  const auto tied = open.ge(most - kTie * most.abs().clamp_min(1));
  return tied.to(at::kByte).argmax().item<int64_t>();
}

// The next point of pseudo-greedy between sorted sources; intervals whose point is taken are passed over.
int64_t split_largest(const std::vector<int64_t>& sorted, int64_t last) {
  struct Choice {
    int64_t length, point;
  };
  Choice best{-1, -1};
  const auto offer = [&](int64_t low, int64_t high, double position) {
    const int64_t point = nearest_task(position);
    const bool taken = std::binary_search(sorted.begin(), sorted.end(), point);
    if (!taken && high - low > best.length) best = {high - low, point};
  };
  const auto real = [](int64_t x) { return static_cast<double>(x); };
  offer(0, sorted.front(), real(sorted.front()) / 3);
  for (size_t i = 0; i + 1 < sorted.size(); ++i)
    offer(sorted[i], sorted[i + 1], real(sorted[i] + sorted[i + 1]) / 2);
  offer(sorted.back(), last, real(sorted.back() + 2 * last) / 3);
  return best.point;
}

}  // namespace

Tensor mbtl_acquisition(const Tensor& mean, const Tensor& std, const Tensor& best, const Tensor& tasks,
                        double slope, double beta) {
  const Check check("bandit.mbtl_acquisition");
  check_arguments(check,
                  {{"mean", mean, "N"}, {"std", std, "N"}, {"best", best, "N"}, {"tasks", tasks, "N"}});
  check.that(slope >= 0, "slope", ">= 0", slope);
  check.that(beta >= 0, "beta", ">= 0", beta);
  return acquisition(as_real(mean) + beta * as_real(std), as_real(best), as_real(tasks), slope);
}

Tensor mbtl_select(const Tensor& transfer, int64_t steps, const MbtlOptions& options) {
  const Check check("bandit.mbtl_select");
  const auto j = checked_transfer(check, transfer);
  const int64_t n = j.size(0);
  check_steps(check, "steps", steps, n);
  check.that(options.slope >= 0, "slope", ">= 0", options.slope);
  // Also where one step never asks the process.
  check.that(options.gp.length_scale > 0, "length_scale", "> 0", options.gp.length_scale);
  check.that(options.gp.signal_variance > 0, "signal_variance", "> 0", options.gp.signal_variance);
  check.that(options.gp.noise_std >= 0, "noise_std", ">= 0", options.gp.noise_std);
  const auto tasks = at::arange(n, at::kDouble);
  auto best = at::zeros({n}, at::kDouble);
  std::vector<int64_t> sources;
  std::vector<double> performances;
  const auto train = [&](int64_t task) {
    best = at::maximum(best, j[task]);
    sources.push_back(task);
    performances.push_back(best[task].item<double>());
  };
  train(nearest_task(static_cast<double>(n - 1) / 2));
  while (static_cast<int64_t>(sources.size()) < steps) {
    const auto posterior = gp_posterior(at::tensor(sources, at::kLong).to(at::kDouble),
                                        at::tensor(performances, at::kDouble), tasks, options.gp);
    const double beta = std::sqrt(std::log(static_cast<double>(sources.size()) + 1));
    train(best_free(acquisition(posterior.mean + beta * posterior.std, best, tasks, options.slope), sources));
  }
  return at::tensor(sources, at::kLong);
}

GeneralisedPerformance generalised_performance(const Tensor& transfer, const Tensor& sources) {
  const Check check("bandit.generalised_performance");
  check_arguments(check, {{"transfer", transfer, "NN"}, {"sources", sources, "K"}});
  check.index_range("sources", sources, 0, transfer.size(0));
  const auto best = std::get<0>(as_real(transfer).index_select(0, sources.to(at::kLong)).cummax(0));
  const auto per_task = best[-1];
  return {per_task, per_task.mean(), best.mean(1)};
}

Tensor pseudo_greedy(int64_t num_tasks, int64_t steps) {
  const Check check("bandit.pseudo_greedy");
  check.that(num_tasks >= 1, "num_tasks", ">= 1", num_tasks);
  check_steps(check, "steps", steps, num_tasks);
  std::vector<int64_t> sources = {nearest_task(static_cast<double>(num_tasks - 1) / 2)};
  auto sorted = sources;
  while (static_cast<int64_t>(sources.size()) < steps) {
    sources.push_back(split_largest(sorted, num_tasks - 1));
    sorted.insert(std::lower_bound(sorted.begin(), sorted.end(), sources.back()), sources.back());
  }
  return at::tensor(sources, at::kLong);
}

Tensor equidistant(int64_t num_tasks, int64_t budget) {
  const Check check("bandit.equidistant");
  check.that(num_tasks >= 1, "num_tasks", ">= 1", num_tasks);
  check_steps(check, "budget", budget, num_tasks);
  const double top = static_cast<double>(num_tasks - 1), part = top / static_cast<double>(budget);
  std::vector<int64_t> sources;
  for (int64_t k = 0; k < budget; ++k)
    sources.push_back(nearest_task(top - part / 2 - static_cast<double>(k) * part));
  return at::tensor(sources, at::kLong);
}

Tensor sequential_oracle(const Tensor& transfer, int64_t steps) {
  const Check check("bandit.sequential_oracle");
  const auto j = checked_transfer(check, transfer);
  check_steps(check, "steps", steps, j.size(0));
  auto best = at::full({j.size(0)}, -std::numeric_limits<double>::infinity(), at::kDouble);
  std::vector<int64_t> sources;
  for (int64_t k = 0; k < steps; ++k) {
    const int64_t next = best_free(at::maximum(j, best).mean(1), sources);
    best = at::maximum(best, j[next]);
    sources.push_back(next);
  }
  return at::tensor(sources, at::kLong);
}

PLAUDIT_FUNCTIONS(bandit, m) {
  m.def(
      "mbtl_acquisition(Tensor mean, Tensor std, Tensor best, Tensor tasks, float slope=0.005, float "
      "beta=1.) -> "
      "(Tensor acquisition)",
      &mbtl_acquisition, "What training a task is expected to add for all tasks.", {"36"});
  m.def(
      "mbtl_select(Tensor transfer, int steps, float slope=0.005, float noise_std=0.1, float "
      "length_scale=1., float "
      "signal_variance=1.) -> (Tensor sources)",
      [](const Tensor& transfer, int64_t steps, double slope, double noise, double length, double variance) {
        return mbtl_select(transfer, steps, {slope, {length, variance, noise}});
      },
      "Source tasks chosen by model-based transfer learning.", {"36"});
  m.def(
      "generalised_performance(Tensor transfer, Tensor sources) -> (Tensor per_task, Tensor mean, Tensor "
      "curve)",
      [](const Tensor& transfer, const Tensor& sources) {
        return as_tuple(generalised_performance(transfer, sources));
      },
      "The performance of the best source in every task.", {"36"});
  m.def("pseudo_greedy(int num_tasks, int steps) -> (Tensor sources)", &pseudo_greedy,
        "Source tasks by splitting the largest interval.", {"36"});
  m.def("equidistant(int num_tasks, int budget) -> (Tensor sources)", &equidistant,
        "Source tasks at equal distances, from the top.", {"36"});
  m.def("sequential_oracle(Tensor transfer, int steps) -> (Tensor sources)", &sequential_oracle,
        "Source tasks chosen greedily with the true transfer.", {"36"});
}

}  // namespace plaudit
