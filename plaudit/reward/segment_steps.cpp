#include "plaudit/reward/segment_steps.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <vector>

#include "plaudit/core/parallel.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

// cost(i, j): mean over columns of the population deviation of frames i..j-1.
class CostTable {
 public:
  explicit CostTable(const Tensor& features)
      : frames_(features.size(0)), cost_(static_cast<size_t>(frames_ * (frames_ + 1))) {
    const auto* x = features.const_data_ptr<double>();
    parallel_for(0, frames_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) fill(x, features.size(1), i);
    });
  }

  double operator()(int64_t i, int64_t j) const { return cost_[static_cast<size_t>(i * (frames_ + 1) + j)]; }

 private:
  // Welford's update per column: exact zeros for constant columns, which prefix sums would not give.
  void fill(const double* x, int64_t columns, int64_t i) {
    std::vector<double> mean(static_cast<size_t>(columns)), squares(mean.size());
    for (int64_t j = i; j < frames_; ++j) {
      const auto count = static_cast<double>(j - i + 1);
      double total = 0;
      for (size_t d = 0; d < mean.size(); ++d) {
        const double value = x[static_cast<size_t>(j * columns) + d], delta = value - mean[d];
        mean[d] += delta / count;
        squares[d] += delta * (value - mean[d]);
        total += std::sqrt(squares[d] / count);
      }
      cost_[static_cast<size_t>(i * (frames_ + 1) + j + 1)] = total / static_cast<double>(columns);
    }
  }

  int64_t frames_;
  std::vector<double> cost_;
};

// The first frames of all segments after the first.
std::vector<int64_t> best_cuts(const CostTable& cost, int64_t frames, int64_t steps, int64_t min_size) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto size = static_cast<size_t>(frames + 1);
  // rest[i]: the least cost of splitting frames i.. into k segments, end[k][i] the end of the first of them.
  std::vector<double> rest(size, infinity);
  for (int64_t i = 0; i + min_size <= frames; ++i) rest[static_cast<size_t>(i)] = cost(i, frames);
  std::vector<std::vector<int64_t>> end(static_cast<size_t>(steps + 1), std::vector<int64_t>(size, frames));
  for (int64_t k = 2; k <= steps; ++k) {
    std::vector<double> least(size, infinity);
    for (int64_t i = 0; i + k * min_size <= frames; ++i) {
      auto& best = least[static_cast<size_t>(i)];
      for (int64_t j = i + min_size; j + (k - 1) * min_size <= frames; ++j) {
        const double total = cost(i, j) + rest[static_cast<size_t>(j)];
        // Sums that differ by rounding are ties, and ties go to the earlier cut.
        if (best == infinity || total < best - 1e-12 * (1 + best)) {
          best = total;
          end[static_cast<size_t>(k)][static_cast<size_t>(i)] = j;
        }
      }
    }
    rest = std::move(least);
  }
  std::vector<int64_t> cuts;
  int64_t at = 0;
  for (int64_t k = steps; k > 1; --k) {
    at = end[static_cast<size_t>(k)][static_cast<size_t>(at)];
    cuts.push_back(at);
  }
  return cuts;
}

}  // namespace

StepSegments segment_steps(const Tensor& features, int64_t steps, int64_t min_size) {
  const Check check("reward.segment_steps");
  check.not_empty("features", features);
  check.dim("features", features, 2);
  check.finite("features", features);
  const int64_t frames = features.size(0);
  check.that(steps >= 1 && steps <= frames, "steps", fmt::format("in [1, {}]", frames), steps);
  check.that(min_size >= 1 && min_size <= frames / steps, "min_size",
             fmt::format("in [1, {}]", frames / steps), min_size);
  const CostTable cost(features.to(at::kCPU, at::kDouble).contiguous());
  const auto cuts = best_cuts(cost, frames, steps, min_size);
  std::vector<double> deviations;
  int64_t begin = 0;
  for (size_t k = 0; k <= cuts.size(); ++k) {
    const int64_t end = k < cuts.size() ? cuts[k] : frames;
    deviations.push_back(cost(begin, end));
    begin = end;
  }
  const auto segment_std = at::tensor(deviations, at::kDouble);
  return {at::tensor(cuts, at::kLong), segment_std, segment_std.mean()};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "segment_steps(Tensor features, int steps, int min_size) -> (Tensor splits, Tensor segment_std, Tensor "
      "objective)",
      [](const Tensor& features, int64_t steps, int64_t min_size) {
        return as_tuple(segment_steps(features, steps, min_size));
      },
      "Splits a demonstration into steps of little change.", {"50"});
}

}  // namespace plaudit
