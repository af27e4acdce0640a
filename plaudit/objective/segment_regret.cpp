#include "plaudit/objective/segment_regret.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

void check_gamma(const Check& check, double gamma) {
  check.that(gamma > 0 && gamma <= 1, "gamma", "in (0, 1]", gamma);
}

}  // namespace

Tensor discounted_sum(const Tensor& x, const Tensor& mask, double gamma) {
  const auto kept = keep_valid(x, mask);
  if (gamma == 1) return kept.sum(1);
  return (kept * at::pow(gamma, at::arange(x.size(1), x.options()))).sum(1);
}

Tensor labels_from_scores(const Tensor& scores_a, const Tensor& scores_b) {
  const Check check("preference.labels_from_scores");
  check.not_empty("scores_a", scores_a);
  check.not_empty("scores_b", scores_b);
  check.dim("scores_a", scores_a, 1);
  check.same_shape("scores_a", scores_a, "scores_b", scores_b);
  check.no_nan("scores_a", scores_a);
  check.no_nan("scores_b", scores_b);
  const auto a = as_real(scores_a), b = as_real(scores_b);
  return a.gt(b).to(a.scalar_type()) + 0.5 * a.eq(b).to(a.scalar_type());
}

Tensor regret_scores_direct(const Tensor& q, const Tensor& v, const Tensor& mask, double gamma) {
  const Check check("preference.regret_scores_direct");
  check_tokens(check, {{"q", q}, {"v", v}}, mask, ValidRows::some);
  check_gamma(check, gamma);
  return discounted_sum(as_real(q) - as_real(v), mask, gamma);
}

Tensor regret_scores_bootstrap(const Tensor& rewards, const Tensor& values, const Tensor& mask,
                               double gamma) {
  const Check check("preference.regret_scores_bootstrap");
  const std::initializer_list<NamedTensor> tensors = {{"rewards", rewards}, {"values", values}};
  check_tokens(check, tensors, mask, ValidRows::every);
  check_tokens(check, tensors, mask, ValidRows::left_aligned);
  check_gamma(check, gamma);
  const auto last = is_last_valid(mask);
  const auto before = valid(mask).logical_and(last.logical_not());
  const auto v = as_real(values);
  return discounted_sum(as_real(rewards), before, gamma) + discounted_sum(v, last, gamma) - v.select(1, 0);
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("labels_from_scores(Tensor scores_a, Tensor scores_b) -> (Tensor label)", &labels_from_scores,
        "Preference labels from scores, one half at a tie.", {"32"});
  m.def("regret_scores_direct(Tensor q, Tensor v, Tensor mask, float gamma=1.) -> (Tensor scores)",
        &regret_scores_direct, "Discounted sum of advantages of a segment.", {"32"});
  m.def(
      "regret_scores_bootstrap(Tensor rewards, Tensor values, Tensor mask, float gamma=1.) -> (Tensor "
      "scores)",
      &regret_scores_bootstrap, "Advantage of a segment from its rewards and end values.", {"32"});
}

}  // namespace plaudit
