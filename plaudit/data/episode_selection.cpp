#include "plaudit/data/episode_selection.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

Tensor positions(const Tensor& flags) {
  return flags.nonzero().squeeze(1);
}

void check_fraction(const Check& check, double fraction) {
  check.that(fraction > 0 && fraction <= 1, "fraction", "in (0, 1]", fraction);
}

}  // namespace

PositiveAdvantage positive_advantage(const Tensor& advantages) {
  const Check check("filter.positive_advantage");
  check_arguments(check, {{"advantages", advantages, "N"}});
  const auto a = as_real(advantages);
  const auto indices = positions(a > 0);
  if (indices.numel() == 0) check.refuse(ErrorKind::empty, "advantages", "holds no positive advantage");
  const auto kept = a.index_select(0, indices);
  const double share = static_cast<double>(indices.size(0)) / static_cast<double>(a.size(0));
  return {indices, kept / kept.sum(), at::scalar_tensor(share, a.options())};
}

Tensor priority_draw(const Tensor& probabilities, const Tensor& uniforms) {
  const Check check("filter.priority_draw");
  check_arguments(check, {{"probabilities", probabilities, "N"}, {"uniforms", uniforms, "K"}});
  auto p = as_real(probabilities).to(at::kDouble);
  const auto u = as_real(uniforms).to(at::kDouble);
  if (readable(p) && std::isinf(p.sum().item<double>())) p = p / p.max();
  const auto cumulative = p.cumsum(0);
  if (readable(p)) {
    const double least = p.min().item<double>();
    check.that(least >= 0, "probabilities", ">= 0", least);
    const double total = cumulative[-1].item<double>();
    check.that(total > 0, "probabilities", "positive somewhere", total);
    const double low = u.min().item<double>(), high = u.max().item<double>();
    check.that(low >= 0, "uniforms", "in [0, 1)", low);
    check.that(high < 1, "uniforms", "in [0, 1)", high);
  }
  const auto drawn = at::searchsorted(cumulative, u * cumulative[-1], /*out_int32=*/false, /*right=*/true);
  // u times the total may be rounded up to the total: still the last that can be drawn.
  return at::minimum(drawn, at::where(p.gt(0), at::arange(p.size(0), drawn.options()), 0).amax());
}

Tensor above_return(const Tensor& returns, double threshold, std::optional<int64_t> limit) {
  const Check check("filter.above_return");
  check_arguments(check, {{"returns", returns, "N"}});
  if (limit) check.that(*limit >= 1, "limit", ">= 1", *limit);
  const auto indices = positions(returns > threshold);
  return limit ? indices.slice(0, 0, *limit) : indices;
}

Tensor top_fraction(const Tensor& returns, double fraction) {
  const Check check("filter.top_fraction");
  check_arguments(check, {{"returns", returns, "N"}});
  check_fraction(check, fraction);
  // A product such as 0.29 * 100 must not lose a row to rounding.
  const double share = fraction * static_cast<double>(returns.size(0));
  const auto count = std::max<int64_t>(1, static_cast<int64_t>(std::floor(share + 1e-9)));
  const auto best = returns.argsort(/*stable=*/true, 0, /*descending=*/true).slice(0, 0, count);
  return std::get<0>(best.sort());
}

ReturnQuantile return_quantile(const Tensor& returns, double fraction) {
  const Check check("filter.return_quantile");
  check_arguments(check, {{"returns", returns, "N"}});
  check_fraction(check, fraction);
  const auto r = as_real(returns);
  const auto sorted = std::get<0>(r.sort());
  // (1 - 0.7) * 10 is 3, although rounding says a little more.
  double position = (1 - fraction) * static_cast<double>(r.size(0) - 1);
  if (std::abs(position - std::round(position)) < 1e-9) position = std::round(position);
  const auto low = static_cast<int64_t>(position);
  const auto high = std::min(low + 1, r.size(0) - 1);
  const double share = position - static_cast<double>(low);
  // At a whole position the cutoff is that return to the last bit, so that it is kept.
  const auto cutoff = share == 0 ? sorted[low] : at::lerp(sorted[low], sorted[high], share);
  return {cutoff, positions(r >= cutoff)};
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def(
      "positive_advantage(Tensor advantages) -> (Tensor indices, Tensor probabilities, Tensor kept_fraction)",
      [](const Tensor& advantages) { return as_tuple(positive_advantage(advantages)); },
      "Rows of positive advantage and how often to draw them.", {"45"});
  m.def("priority_draw(Tensor probabilities, Tensor uniforms) -> (Tensor indices)", &priority_draw,
        "Draws in proportion to a weight from given uniform numbers.", {"45"});
  m.def("above_return(Tensor returns, float threshold, int? limit=None) -> (Tensor indices)", &above_return,
        "Rows above a return.", {"49"});
  m.def("top_fraction(Tensor returns, float fraction=0.1) -> (Tensor indices)", &top_fraction,
        "The best share of the rows.", {"49", "41"});
  m.def("return_quantile(Tensor returns, float fraction=0.1) -> (Tensor cutoff, Tensor indices)",
        [](const Tensor& returns, double fraction) { return as_tuple(return_quantile(returns, fraction)); },
        "Rows at or above a quantile of the returns.", {"21"});
}

}  // namespace plaudit
