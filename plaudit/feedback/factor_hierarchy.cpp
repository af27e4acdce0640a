#include "plaudit/feedback/factor_hierarchy.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_sizes(const Check& check, const FactorRanking& ranking, int64_t factors) {
  if (ranking.order.empty()) check.refuse(ErrorKind::empty, "order", "is empty");
  check.not_empty("signs", ranking.signs);
  check.shape("signs", ranking.signs, {factors});
  check.no_nan("signs", ranking.signs);
}

void check_values(const Check& check, const FactorRanking& ranking, int64_t factors) {
  std::vector<bool> seen(static_cast<size_t>(factors));
  for (const int64_t k : ranking.order) {
    check.that(k >= 0 && k < factors, "order", fmt::format("a list of factors in [0, {})", factors), k);
    check.that(!seen[static_cast<size_t>(k)], "order", "a list of distinct factors", k);
    seen[static_cast<size_t>(k)] = true;
  }
  if (readable(ranking.signs) && ranking.signs.abs().ne(1).any().item<bool>())
    check.refuse(ErrorKind::value, "signs", "must be +1 or -1");
}

void check_not_negative(const Check& check, std::string_view name, const Tensor& t) {
  if (!readable(t)) return;
  const auto least = t.min().item<double>();
  check.that(least >= 0, name, ">= 0", least);
}

}  // namespace

Tensor hierarchy_margins(const Tensor& factors, const Tensor& multipliers) {
  const Check check("preference.hierarchy_margins");
  check.not_empty("factors", factors);
  check.not_empty("multipliers", multipliers);
  check.dim("factors", factors, 2);
  check.shape("multipliers", multipliers, {factors.size(1)});
  check.finite("factors", factors);
  check.finite("multipliers", multipliers);
  check.that(factors.size(0) >= 2, "factors", "of at least 2 samples", factors.size(0));
  check_not_negative(check, "multipliers", multipliers);
  return as_real(factors).std(0, /*unbiased=*/true) * multipliers;
}

HierarchicalLabel hierarchical_label(const Tensor& factors_a, const Tensor& factors_b, const Tensor& margins,
                                     const FactorRanking& ranking) {
  const Check check("preference.hierarchical_label");
  check.not_empty("factors_a", factors_a);
  check.not_empty("factors_b", factors_b);
  check.not_empty("margins", margins);
  check.dim("factors_a", factors_a, 2);
  check.same_shape("factors_a", factors_a, "factors_b", factors_b);
  check.shape("margins", margins, {factors_a.size(1)});
  check_sizes(check, ranking, factors_a.size(1));
  check.finite("factors_a", factors_a);
  check.finite("factors_b", factors_b);
  check.no_nan("margins", margins);
  check_values(check, ranking, factors_a.size(1));
  check_not_negative(check, "margins", margins);

  const auto difference = ranking.signs * (as_real(factors_a) - as_real(factors_b));
  // 1, -1 or 0 (no decision) per factor; the last rank is written first, so that the first has its way.
  const auto verdict = difference.gt(margins).to(at::kLong) - difference.lt(-margins).to(at::kLong);
  auto label = at::full({factors_a.size(0)}, -1, verdict.options()), level = label;
  for (auto rank = static_cast<int64_t>(ranking.order.size()) - 1; rank >= 0; --rank) {
    const auto says = verdict.select(1, ranking.order[static_cast<size_t>(rank)]);
    label = at::where(says.ne(0), says.clamp_min(0), label);
    level = at::where(says.ne(0), rank, level);
  }
  return {label, level};
}

Tensor decayed_linear_reward(const Tensor& factors, const FactorRanking& ranking, double beta) {
  const Check check("reward.decayed_linear_reward");
  check.not_empty("factors", factors);
  check.dim("factors", factors, 2);
  check_sizes(check, ranking, factors.size(1));
  check.finite("factors", factors);
  check_values(check, ranking, factors.size(1));
  check.that(std::isfinite(beta), "beta", "finite", beta);
  const auto f = as_real(factors);
  const auto standard = ranking.signs * (f - f.mean(0)) / (f.std(0, /*unbiased=*/false) + 1e-3);
  auto reward = at::zeros({f.size(0)}, standard.options());
  double weight = beta;
  for (const int64_t k : ranking.order) {
    reward = reward + weight * standard.select(1, k);
    weight *= beta;
  }
  return reward;
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("hierarchy_margins(Tensor factors, Tensor multipliers) -> (Tensor margins)", &hierarchy_margins,
        "Decision margins of reward factors from their spread.", {"06"});
  m.def(
      "hierarchical_label(Tensor factors_a, Tensor factors_b, Tensor margins, int[] order, Tensor signs) -> "
      "(Tensor label, Tensor level)",
      [](const Tensor& a, const Tensor& b, const Tensor& margins, at::IntArrayRef order,
         const Tensor& signs) {
        return as_tuple(hierarchical_label(a, b, margins, {order.vec(), signs}));
      },
      "Preference labels by the most important reward factor that differs.", {"06"});
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("decayed_linear_reward(Tensor factors, int[] order, Tensor signs, float beta) -> (Tensor rewards)",
        [](const Tensor& factors, at::IntArrayRef order, const Tensor& signs, double beta) {
          return decayed_linear_reward(factors, {order.vec(), signs}, beta);
        },
        "Sum of standardised reward factors with weights that decay by rank.", {"06"});
}

}  // namespace plaudit
