#include "plaudit/eval/objective_mismatch.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/eval/correlation.h"

namespace plaudit {
namespace {

constexpr int64_t kFewest = 3;    // points of a correlation along a run
constexpr double kStill = 1e-12;  // a change of nothing
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Tensor plain(const Tensor& t) {
  return t.detach().to(at::kCPU, at::kDouble);
}

double run_pearson(const Tensor& x, const Tensor& y) {
  return x.numel() < kFewest ? kNaN : weighted_correlation(x, y, Tensor()).rho;
}

bool constant(const Tensor& x) {
  return weighted_correlation(x, x, Tensor()).constant_x;
}

// Of two series of equal length without gaps.
double correlation(const Tensor& x, const Tensor& y, const std::string& method) {
  if (x.numel() < kFewest || constant(x) || constant(y)) return kNaN;
  const auto f = method == "pearson" ? &pearson : method == "spearman" ? &spearman : &kendall_tau;
  return f(x, y).item<double>();
}

// x_t = mean of the last min(t + 1, window) values.
Tensor trailing_mean(const Tensor& x, int64_t window) {
  const auto smooth = at::empty_like(x);
  for (int64_t t = 0; t < x.size(0); ++t) {
    const int64_t start = std::max<int64_t>(0, t + 1 - window);
    smooth[t] = x.slice(0, start, t + 1).mean();
  }
  return smooth;
}

int64_t first_maximum(const Tensor& x) {
  return x.eq(x.max()).nonzero()[0].item<int64_t>();
}

}  // namespace

Tensor correlation_matrix(const Tensor& metrics, const std::optional<Tensor>& mask,
                          const std::string& method) {
  const Check check("eval.correlation_matrix");
  check.not_empty("metrics", metrics);
  check.dim("metrics", metrics, 2);
  if (mask) check.same_shape("metrics", metrics, "mask", *mask);
  check.choice("method", method, {"pearson", "spearman", "kendall"});
  const auto x = plain(metrics);
  const auto ok = mask ? valid(mask->cpu()) : at::ones_like(x, at::kBool);
  check.finite_where("metrics", x, ok);

  const int64_t columns = x.size(1);
  const auto matrix = at::empty({columns, columns}, at::kDouble);
  for (int64_t i = 0; i < columns; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      const auto common = ok.select(1, i).logical_and(ok.select(1, j)).nonzero().squeeze(1);
      const auto column = [&](int64_t c) { return x.select(1, c).index_select(0, common); };
      const double rho = correlation(column(i), column(j), method);
      matrix[i][j] = rho;
      matrix[j][i] = rho;
    }
  }
  return matrix;
}

MismatchReport mismatch_report(const Tensor& proxy, const Tensor& gold, const MismatchOptions& options) {
  const Check check("eval.mismatch_report");
  check_arguments(check, {{"proxy", proxy, "N"}, {"gold", gold, "N"}});
  check.that(options.window >= 1, "window", ">= 1", options.window);
  check.that(options.min_drop >= 0, "min_drop", ">= 0", options.min_drop);
  const auto p = trailing_mean(plain(proxy), options.window), g = trailing_mean(plain(gold), options.window);
  const int64_t last = g.size(0) - 1, peak = first_maximum(g);
  const double drop = g[peak].item<double>() - g[last].item<double>(),
               rise = p[last].item<double>() - p[peak].item<double>();
  const auto over = [&](int64_t from, int64_t to) {
    return run_pearson(p.slice(0, from, to + 1), g.slice(0, from, to + 1));
  };
  return {peak, over(0, peak), over(peak, last),
          drop, rise,          rise > kStill && drop > options.min_drop + kStill};
}

Tensor lead_lag(const Tensor& x, const Tensor& y, int64_t max_lag) {
  const Check check("eval.lead_lag");
  check_arguments(check, {{"x", x, "N"}, {"y", y, "N"}});
  const int64_t n = x.size(0);
  check.that(max_lag >= 0 && max_lag < n, "max_lag", fmt::format("in [0, {})", n), max_lag);
  const auto a = plain(x), b = plain(y);
  const auto correlations = at::empty({2 * max_lag + 1}, at::kDouble);
  for (int64_t lag = -max_lag; lag <= max_lag; ++lag) {
    const int64_t shift = std::abs(lag), overlap = n - shift;
    correlations[lag + max_lag] =
        run_pearson(a.narrow(0, lag < 0 ? shift : 0, overlap), b.narrow(0, lag < 0 ? 0 : shift, overlap));
  }
  return correlations;
}

BootstrapCorrelation bootstrap_correlation(const Tensor& x, const Tensor& y, const Tensor& indices,
                                           double level) {
  const Check check("eval.bootstrap_correlation");
  check_arguments(check, {{"x", x, "N"}, {"y", y, "N"}, {"indices", indices, "RN"}});
  check.index_range("indices", indices, 0, x.size(0));
  check.that(level > 0 && level < 1, "level", "in (0, 1)", level);
  const auto a = plain(x), b = plain(y);
  const auto rows = indices.to(at::kCPU, at::kLong);
  const auto samples = at::empty({rows.size(0)}, at::kDouble);
  for (int64_t r = 0; r < rows.size(0); ++r) {
    const auto row = rows[r];
    samples[r] = weighted_correlation(a.index_select(0, row), b.index_select(0, row), Tensor()).rho;
  }
  const double tail = (1 - level) / 2;
  return {samples, at::nanquantile(samples, tail), at::nanquantile(samples, 1 - tail)};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("correlation_matrix(Tensor metrics, Tensor? mask=None, str method='pearson') -> (Tensor matrix)",
        &correlation_matrix, "Correlations of all pairs of metrics over checkpoints.", {"13"});
  m.def(
      "mismatch_report(Tensor proxy, Tensor gold, int window=3, float min_drop=0.) -> (int peak_index, float "
      "correlation_before, float correlation_after, float gold_drop, float proxy_rise, bool mismatch)",
      [](const Tensor& proxy, const Tensor& gold, int64_t window, double min_drop) {
        return as_tuple(mismatch_report(proxy, gold, {window, min_drop}));
      },
      "Where the target peaks, and whether the proxy rises while it falls.", {"13"});
  m.def("lead_lag(Tensor x, Tensor y, int max_lag) -> (Tensor correlations)", &lead_lag,
        "Correlation of one series with another at every lag.", {"13"});
  m.def(
      "bootstrap_correlation(Tensor x, Tensor y, Tensor indices, float level=0.95) -> (Tensor samples, "
      "Tensor "
      "low, Tensor high)",
      [](const Tensor& x, const Tensor& y, const Tensor& indices, double level) {
        return as_tuple(bootstrap_correlation(x, y, indices, level));
      },
      "Correlation on resampled checkpoints, with its percentile interval.", {"13"});
}

}  // namespace plaudit
