#include "plaudit/eval/filtered_r2.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

// The weighted squared correlation of two vectors.
Tensor squared_correlation(const Check& check, const Tensor& x, const Tensor& y, const Tensor& weights) {
  const auto total = weights.sum();
  const auto centred = [&](const Tensor& v) { return v - (weights * v).sum() / total; };
  const auto dx = centred(x), dy = centred(y);
  const auto xx = (weights * dx.square()).sum(), yy = (weights * dy.square()).sum();
  // The mean of equal numbers may miss them by rounding.
  const auto has_variance = [&](std::string_view name, const Tensor& v, const Tensor& squares) {
    const double rounding = 1e-24 * std::max(1.0, v.square().max().item<double>());
    check.that((squares / total).item<double>() > rounding, name, "of positive variance over the kept pairs",
               "zero variance");
  };
  has_variance("rewards", x, xx);
  has_variance("scores", y, yy);
  return (weights * dx * dy).sum().square() / (xx * yy);
}

}  // namespace

Tensor filtered_r2(const Tensor& rewards, const Tensor& scores, const Tensor& weights,
                   std::optional<int64_t> bins) {
  const Check check("eval.filtered_r2");
  check.alike({{"rewards", rewards}, {"scores", scores}, {"weights", weights}}, 1);
  const auto least = weights.min().item<double>();
  check.that(least >= 0, "weights", ">= 0", least);
  const auto kept = weights.gt(0).nonzero().squeeze(1);
  if (kept.numel() == 0) check.refuse(ErrorKind::empty, "weights", "keep no pair");
  auto x = as_real(rewards).index_select(0, kept), y = as_real(scores).index_select(0, kept);
  const auto w = as_real(weights).index_select(0, kept);
  if (!bins) return squared_correlation(check, x, y, w);

  check.that(*bins >= 1 && *bins <= kept.numel(), "bins", fmt::format("in [1, {}]", kept.numel()), *bins);
  const auto order = at::argsort(x, /*stable=*/true, 0, /*descending=*/false);
  std::vector<Tensor> mean_x, mean_y;
  for (const auto& run : at::tensor_split(order, *bins)) {
    const auto run_weights = w.index_select(0, run);
    const auto mean = [&](const Tensor& v) {
      return (run_weights * v.index_select(0, run)).sum() / run_weights.sum();
    };
    mean_x.push_back(mean(x));
    mean_y.push_back(mean(y));
  }
  x = at::stack(mean_x);
  y = at::stack(mean_y);
  return squared_correlation(check, x, y, at::ones_like(x));
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("filtered_r2(Tensor rewards, Tensor scores, Tensor weights, int? bins=None) -> (Tensor r2)",
        &filtered_r2, "Squared correlation of reward and true score over what a filter keeps.", {"30"});
}

}  // namespace plaudit
