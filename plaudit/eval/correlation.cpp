#include "plaudit/eval/correlation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

constexpr double kConstant = 1e-24;  // variance of a constant series

struct Series {
  Tensor x, y;  // [N] f64 on the processor
};

Series checked_series(const Check& check, const Tensor& x, const Tensor& y, std::string_view x_name = "x",
                      std::string_view y_name = "y") {
  check_arguments(check, {{x_name, x, "N"}, {y_name, y, "N"}});
  check.that(x.size(0) >= 2, x_name, "of at least 2 points", x.size(0));
  return {on_cpu_f64(x), on_cpu_f64(y)};
}

Tensor result(double value) {
  return at::scalar_tensor(value, at::kDouble);
}

double rho_of(const Series& s) {
  return weighted_correlation(s.x, s.y, Tensor()).rho;
}

// Pairs i < j with values[i] > values[j], by merge sort; sorts `values`.
int64_t inversions(std::vector<double>& values) {
  std::vector<double> other(values.size());
  int64_t count = 0;
  for (size_t width = 1; width < values.size(); width *= 2) {
    for (size_t low = 0; low < values.size(); low += 2 * width) {
      const size_t middle = std::min(low + width, values.size()),
                   high = std::min(low + 2 * width, values.size());
      size_t i = low, j = middle;
      for (size_t k = low; k < high; ++k) {
        if (i < middle && (j >= high || values[i] <= values[j])) {
          other[k] = values[i++];
        } else {
          count += static_cast<int64_t>(middle - i);
          other[k] = values[j++];
        }
      }
    }
    values.swap(other);
  }
  return count;
}

double rho_of_ranks(const Series& s) {
  return rho_of({average_ranks(s.x), average_ranks(s.y)});
}

// Tied pairs in a sorted run, by `equal(i, i+1)`.
template <class Equal>
int64_t tied_pairs(size_t n, Equal equal) {
  int64_t pairs = 0, run = 1;
  for (size_t i = 0; i + 1 < n; ++i) {
    run = equal(i, i + 1) ? run + 1 : 1;
    pairs += run - 1;
  }
  return pairs;
}

// Kendall's tau-b by counting inversions.
double tau_of(const Series& s) {
  const auto n = static_cast<size_t>(s.x.size(0));
  const double* xs = s.x.const_data_ptr<double>();
  const double* ys = s.y.const_data_ptr<double>();
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return xs[a] != xs[b] ? xs[a] < xs[b] : ys[a] < ys[b]; });
  const auto same_x = [&](size_t i, size_t j) { return xs[order[i]] == xs[order[j]]; };
  const int64_t tied_x = tied_pairs(n, same_x);
  const int64_t tied_both =
      tied_pairs(n, [&](size_t i, size_t j) { return same_x(i, j) && ys[order[i]] == ys[order[j]]; });
  std::vector<double> sorted(n);
  for (size_t i = 0; i < n; ++i) sorted[i] = ys[order[i]];
  const int64_t discordant = inversions(sorted);
  const int64_t tied_y = tied_pairs(n, [&](size_t i, size_t j) { return sorted[i] == sorted[j]; });
  const auto pairs = static_cast<int64_t>(n) * (static_cast<int64_t>(n) - 1) / 2;
  const int64_t concordant = pairs - tied_x - tied_y + tied_both - discordant;
  const double untied_x = static_cast<double>(pairs - tied_x), untied_y = static_cast<double>(pairs - tied_y);
  if (untied_x == 0 || untied_y == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(concordant - discordant) / std::sqrt(untied_x) / std::sqrt(untied_y);
}

}  // namespace

Tensor average_ranks(const Tensor& x) {
  const auto sorted = std::get<0>(x.contiguous().sort(-1));
  const auto below = at::searchsorted(sorted, x.contiguous());
  const auto up_to = at::searchsorted(sorted, x.contiguous(), /*out_int32=*/false, /*right=*/true);
  return (below + up_to + 1).to(at::kDouble) / 2;
}

WeightedCorrelation weighted_correlation(const Tensor& x, const Tensor& y, const Tensor& weights) {
  const auto w =
      weights.defined() ? weights / weights.sum() : at::full_like(x, 1 / static_cast<double>(x.numel()));
  auto centred_x = x - (w * x).sum(), centred_y = y - (w * y).sum();
  // Squares of what is larger than this would overflow; a factor changes no correlation.
  for (auto* centred : {&centred_x, &centred_y})
    if (const double most = centred->abs().max().item<double>(); most > 1e100) *centred /= most;
  const double var_x = (w * centred_x.square()).sum().item<double>();
  const double var_y = (w * centred_y.square()).sum().item<double>();
  const bool constant_x = var_x <= kConstant, constant_y = var_y <= kConstant;
  if (constant_x || constant_y) return {std::numeric_limits<double>::quiet_NaN(), constant_x, constant_y};
  const double covariance = (w * centred_x * centred_y).sum().item<double>();
  return {std::clamp(covariance / std::sqrt(var_x) / std::sqrt(var_y), -1.0, 1.0), false, false};
}

Tensor pearson(const Tensor& x, const Tensor& y) {
  return result(rho_of(checked_series(Check("eval.pearson"), x, y)));
}

Tensor spearman(const Tensor& x, const Tensor& y) {
  const auto s = checked_series(Check("eval.spearman"), x, y);
  return result(rho_of_ranks(s));
}

Tensor kendall_tau(const Tensor& x, const Tensor& y) {
  return result(tau_of(checked_series(Check("eval.kendall_tau"), x, y)));
}

BenchmarkCorrelation benchmark_correlation(const Tensor& benchmark, const Tensor& outcome) {
  const auto s =
      checked_series(Check("eval.benchmark_correlation"), benchmark, outcome, "benchmark", "outcome");
  const double rho = rho_of(s);
  return {result(rho), result(rho * rho), result(rho_of_ranks(s)), result(tau_of(s))};
}

SeriesDistance series_distance(const Tensor& x, const Tensor& y) {
  const Check check("eval.pearson_distance");
  const auto s = checked_series(check, x, y);
  // Rounding of the mean gives a constant series a variance, and small numbers have a small one.
  const auto unit = [&](std::string_view name, const Tensor& t) {
    const double least = t.min().item<double>(), most = t.max().item<double>();
    if (least == most) check.refuse(ErrorKind::value, name, "is constant: it has no correlation");
    const double half = most / 2 - least / 2;
    return ((t / 2 - least / 2) / half).sub_(0.5);
  };
  const auto c = weighted_correlation(unit("x", s.x), unit("y", s.y), Tensor());
  return {result(std::sqrt((1 - c.rho) / 2)), result(c.rho)};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("pearson(Tensor x, Tensor y) -> (Tensor value)", &pearson, "Linear correlation.", {"27", "13", "18"});
  m.def("spearman(Tensor x, Tensor y) -> (Tensor value)", &spearman, "Rank correlation, ties averaged.",
        {"27", "13", "18"});
  m.def("kendall_tau(Tensor x, Tensor y) -> (Tensor value)", &kendall_tau, "Kendall's tau-b.",
        {"27", "13", "18"});
  m.def(
      "benchmark_correlation(Tensor benchmark, Tensor outcome) -> (Tensor pearson, Tensor r_squared, Tensor "
      "spearman, Tensor kendall)",
      [](const Tensor& benchmark, const Tensor& outcome) {
        return as_tuple(benchmark_correlation(benchmark, outcome));
      },
      "How well benchmark scores predict outcomes.", {"18"});
  m.def("pearson_distance(Tensor x, Tensor y) -> (Tensor distance, Tensor correlation)",
        [](const Tensor& x, const Tensor& y) { return as_tuple(series_distance(x, y)); },
        "sqrt((1 - rho)/2) of two series.", {"03"});
}

}  // namespace plaudit
