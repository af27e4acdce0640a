#include "plaudit/eval/interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plaudit/core/errors.h"

namespace plaudit::eval {
namespace {

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The value below which a share q of the sorted values lies, linearly between neighbours.
double quantile(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto index = static_cast<size_t>(position);
  const double next = sorted[std::min(index + 1, sorted.size() - 1)];
  return sorted[index] + (position - std::floor(position)) * (next - sorted[index]);
}

template <class F>
std::vector<double> paired(const std::vector<double>& a, const std::vector<double>& b, F f) {
  if (a.size() != b.size())
    fail(ErrorKind::shape, "eval.interval",
         fmt::format("b has {} values, expected {} as a has", b.size(), a.size()));
  std::vector<double> out(a.size());
  std::transform(a.begin(), a.end(), b.begin(), out.begin(), f);
  return out;
}

}  // namespace

Interval bootstrap_mean(const std::vector<double>& values, Rng rng, double level, int64_t draws) {
  if (values.empty()) fail(ErrorKind::empty, "eval.bootstrap_mean", "values is empty");
  if (std::any_of(values.begin(), values.end(), [](double x) { return std::isnan(x); }))
    fail(ErrorKind::nan, "eval.bootstrap_mean", "values holds NaN");
  if (!(level > 0 && level < 1))
    fail(ErrorKind::value, "eval.bootstrap_mean", fmt::format("level must be in (0, 1), got {}", level));
  if (draws < 1)
    fail(ErrorKind::value, "eval.bootstrap_mean", fmt::format("draws must be >= 1, got {}", draws));
  const auto n = static_cast<int64_t>(values.size());
  std::vector<double> means(static_cast<size_t>(draws));
  for (auto& m : means) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += values[static_cast<size_t>(rng.below(n))];
    m = sum / static_cast<double>(n);
  }
  std::sort(means.begin(), means.end());
  return {mean(values), quantile(means, (1 - level) / 2), quantile(means, (1 + level) / 2), n};
}

Interval bootstrap_difference(const std::vector<double>& a, const std::vector<double>& b, Rng rng,
                              double level, int64_t draws) {
  return bootstrap_mean(paired(a, b, [](double x, double y) { return x - y; }), rng, level, draws);
}

Interval win_rate(const std::vector<double>& a, const std::vector<double>& b, Rng rng, double level,
                  int64_t draws) {
  const auto outcome = [](double x, double y) { return x > y ? 1.0 : x == y ? 0.5 : 0.0; };
  return bootstrap_mean(paired(a, b, outcome), rng, level, draws);
}

}  // namespace plaudit::eval
