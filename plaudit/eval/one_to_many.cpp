#include "plaudit/eval/one_to_many.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Which rejected answers count, after all checks.
Tensor checked(const Check& check, const Tensor& chosen, const Tensor& rejected,
               const std::optional<Tensor>& mask) {
  check.not_empty("chosen", chosen);
  check.not_empty("rejected", rejected);
  check.dim("chosen", chosen, 2);
  check.dim("rejected", rejected, 2);
  check.same_size("chosen", chosen, 0, "rejected", rejected, 0);
  if (mask) check.same_shape("rejected", rejected, "mask", *mask);
  const auto ok = mask ? valid(*mask) : at::ones(rejected.sizes(), rejected.options().dtype(at::kBool));
  check_rows(check, ok, ValidRows::every);
  check.no_nan("chosen", chosen);
  check.no_nan("rejected", at::where(ok, as_real(rejected), 0.0));
  return ok;
}

Tensor row_mean(const Tensor& x, const Tensor& ok) {
  return at::where(ok, x, at::zeros_like(x)).sum(1) / ok.sum(1);
}

}  // namespace

OneToManyAccuracy one_to_many_accuracy(const Tensor& chosen, const Tensor& rejected,
                                       const std::optional<Tensor>& mask) {
  const auto ok = checked(Check("eval.one_to_many_accuracy"), chosen, rejected, mask);
  const auto worst = as_real(chosen).amin(1), best = at::where(ok, as_real(rejected), -kInfinity).amax(1);
  const auto correct = worst.gt(best).to(at::kDouble);
  return {correct.mean(), worst.ge(best).to(at::kDouble).mean(), correct};
}

ReciprocalRank mean_reciprocal_rank(const Tensor& chosen, const Tensor& rejected,
                                    const std::optional<Tensor>& mask) {
  const auto ok = checked(Check("eval.mean_reciprocal_rank"), chosen, rejected, mask);
  const auto best = as_real(chosen).amax(1, true);
  const auto rank = 1 + as_real(rejected).ge(best).logical_and(ok).sum(1);
  return {rank.to(at::kDouble).reciprocal().mean(), rank};
}

Tensor pairwise_accuracy(const Tensor& chosen, const Tensor& rejected, const std::optional<Tensor>& mask) {
  const auto ok = checked(Check("eval.pairwise_accuracy"), chosen, rejected, mask);
  const auto worst = as_real(chosen).amin(1, true), r = as_real(rejected);
  return row_mean(worst.gt(r).to(at::kDouble) + 0.5 * worst.eq(r).to(at::kDouble), ok).mean();
}

Tensor aggregate_step_scores(const Tensor& scores, const Tensor& mask, const std::string& mode) {
  const Check check("eval.aggregate_step_scores");
  check_tokens(check, {{"scores", scores}}, mask, ValidRows::every);
  check.choice("mode", mode,
               {"min", "max", "prod", "geometric_mean", "mean", "last", "mean_logit", "mean_odd"});
  const auto ok = valid(mask);
  const auto s = at::where(ok, as_real(scores), 0.5);
  if (mode == "min") return at::where(ok, s, kInfinity).amin(1);
  if (mode == "max") return at::where(ok, s, -kInfinity).amax(1);
  if (mode == "mean") return row_mean(s, ok);
  if (mode == "last") {
    const auto position = at::arange(mask.size(1), mask.options().dtype(at::kLong));
    return s.gather(1, at::where(ok, position, at::zeros_like(position)).amax(1, true)).squeeze(1);
  }
  if (mode == "prod" || mode == "geometric_mean") {
    check.range("scores", s, 0, kInfinity);
    const auto logs = s.log();
    return (mode == "prod" ? at::where(ok, logs, at::zeros_like(logs)).sum(1) : row_mean(logs, ok)).exp();
  }
  const auto p = s.clamp(1e-6, 1 - 1e-6);
  if (mode == "mean_logit") return at::sigmoid(row_mean(p.log() - at::log1p(-p), ok));
  return row_mean(p / (1 - p), ok).clamp_min(0);
}

JudgeRank pairwise_judge_rank(const Tensor& wins, const Tensor& mask) {
  const Check check("eval.pairwise_judge_rank");
  check_tokens(check, {{"wins", wins}}, mask, ValidRows::every);
  const auto ok = valid(mask);
  const auto lost = as_real(wins).eq(0).logical_and(ok);
  const auto won = as_real(wins).eq(1);
  if (readable(won) && lost.logical_or(won).logical_or(ok.logical_not()).logical_not().any().item<bool>())
    check.refuse(ErrorKind::value, "wins", "must be 0 or 1");
  const auto losses = lost.sum(1);
  return {(1 + losses).to(at::kDouble).reciprocal().mean(), losses.eq(0).to(at::kDouble).mean()};
}

Overoptimisation overoptimisation(const Tensor& proxy, const Tensor& gold, const Tensor& kl) {
  const Check check("eval.overoptimisation");
  check.alike({{"proxy", proxy}, {"gold", gold}, {"kl", kl}}, 1);
  const auto g = as_real(gold), p = as_real(proxy);
  const auto last = g.numel() - 1;
  int64_t peak = 0;
  for (int64_t i = 1; i <= last; ++i) {
    if (g[i].item<double>() > g[peak].item<double>()) peak = i;
  }
  const double drop = g[peak].item<double>() - g[last].item<double>(),
               gain = p[last].item<double>() - p[peak].item<double>();
  return {peak,
          g[peak].item<double>(),
          as_real(kl)[peak].item<double>(),
          drop,
          gain,
          peak != last && drop > 1e-12 && gain > 0};
}

Tensor reward_accuracy(const Tensor& chosen, const Tensor& rejected, double margin) {
  const Check check("eval.reward_accuracy");
  check.alike({{"chosen", chosen}, {"rejected", rejected}}, 1);
  check.that(std::isfinite(margin), "margin", "finite", margin);
  const auto d = as_real(chosen) - as_real(rejected);
  return (d.gt(margin).to(at::kDouble) + 0.5 * d.eq(margin).to(at::kDouble)).mean();
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def(
      "one_to_many_accuracy(Tensor chosen, Tensor rejected, Tensor? mask=None) -> (Tensor accuracy, Tensor "
      "accuracy_with_ties, Tensor correct)",
      [](const Tensor& chosen, const Tensor& rejected, const std::optional<Tensor>& mask) {
        return as_tuple(one_to_many_accuracy(chosen, rejected, mask));
      },
      "Share of problems whose right answers beat all wrong ones.", {"18"});
  m.def(
      "mean_reciprocal_rank(Tensor chosen, Tensor rejected, Tensor? mask=None) -> (Tensor mrr, Tensor rank)",
      [](const Tensor& chosen, const Tensor& rejected, const std::optional<Tensor>& mask) {
        return as_tuple(mean_reciprocal_rank(chosen, rejected, mask));
      },
      "Mean reciprocal rank of the right answer, ties against it.", {"18"});
  m.def("pairwise_accuracy(Tensor chosen, Tensor rejected, Tensor? mask=None) -> (Tensor accuracy)",
        [](const Tensor& chosen, const Tensor& rejected, const std::optional<Tensor>& mask) {
          return pairwise_accuracy(chosen, rejected, mask);
        },
        "Share of right-wrong pairs that are ordered right.", {"18"});
  m.def("aggregate_step_scores(Tensor scores, Tensor mask, str mode='prod') -> (Tensor values)",
        &aggregate_step_scores, "Step scores of a process model as one score.", {"18", "04"});
  m.def("pairwise_judge_rank(Tensor wins, Tensor mask) -> (Tensor mrr, Tensor accuracy)",
        [](const Tensor& wins, const Tensor& mask) { return as_tuple(pairwise_judge_rank(wins, mask)); },
        "Rank and accuracy of right answers under a pairwise judge.", {"18"});
  m.def(
      "overoptimisation(Tensor proxy, Tensor gold, Tensor kl) -> (int peak_index, float peak_gold, float "
      "peak_kl, "
      "float gold_drop, float proxy_gain_after_peak, bool overoptimised)",
      [](const Tensor& proxy, const Tensor& gold, const Tensor& kl) {
        return as_tuple(overoptimisation(proxy, gold, kl));
      },
      "Where gold peaks along an optimisation and whether the proxy goes on rising.", {"18"});
  m.def("reward_accuracy(Tensor chosen, Tensor rejected, float margin=0.) -> (Tensor accuracy)",
        &reward_accuracy, "Share of pairs whose margin exceeds a bound.", {"13"});
}

}  // namespace plaudit
