#include "plaudit/eval/best_of_n.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"

namespace plaudit::eval {

using at::Tensor;

namespace {

// Mean of `values` over runs of equal neighbours in `sorted` (both [N]).
Tensor mean_of_ties(const Tensor& sorted, const Tensor& values) {
  const auto [unique, inverse, counts] =
      at::unique_consecutive(sorted, /*return_inverse=*/true, /*return_counts=*/true);
  const auto sums = at::zeros(unique.sizes(), values.options()).index_add(0, inverse, values);
  return (sums / counts).index_select(0, inverse);
}

void check_pair(const Check& check, const Tensor& scores, const Tensor& gold, int64_t dims) {
  check.not_empty("scores", scores);
  check.not_empty("gold", gold);
  check.dim("scores", scores, dims);
  check.same_shape("scores", scores, "gold", gold);
  check.finite("scores", scores);
  check.finite("gold", gold);
}

void check_n(const Check& check, std::string_view argument, int64_t n, int64_t total) {
  check.that(n >= 1 && n <= total, argument, fmt::format("in [1, {}]", total), n);
}

// Expected gold of the best of n for one prompt.
Tensor expected_gold(const Tensor& scores, const Tensor& gold, int64_t n) {
  const auto order = scores.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/false);
  const auto shared = mean_of_ties(scores.index_select(0, order), gold.index_select(0, order));
  return (best_of_n_weights(scores.size(0), n).to(scores.device()) * shared).sum();
}

}  // namespace

Tensor best_of_n_weights(int64_t total, int64_t n) {
  // w_N = n/N, and w_i = w_{i+1} (i-n+1)/i going down: a sum of logarithms, so that nothing overflows.
  const auto rank = at::arange(1, total, at::kDouble);
  const auto ratio = ((rank - static_cast<double>(n) + 1).clamp_min(0) / rank).log();
  const auto top = at::full({1}, std::log(static_cast<double>(n) / static_cast<double>(total)), at::kDouble);
  return at::cat({ratio.flip(0).cumsum(0).flip(0) + top, top}).exp();
}

Tensor best_of_n(const Tensor& scores, const Tensor& gold, int64_t n, const std::string& mode) {
  const Check check("eval.best_of_n");
  check_pair(check, scores, gold, 2);
  check.choice("mode", mode, {"unbiased", "prefix"});
  check_n(check, "n", n, scores.size(1));
  const auto s = as_real(scores), g = as_real(gold);
  if (mode == "prefix") return g.gather(1, s.slice(1, 0, n).argmax(1, /*keepdim=*/true)).mean();
  std::vector<Tensor> values;
  for (int64_t p = 0; p < s.size(0); ++p) values.push_back(expected_gold(s[p], g[p], n));
  return at::stack(values).mean();
}

BestOfNCurve best_of_n_curve(const Tensor& scores, const Tensor& gold, const std::vector<int64_t>& ns) {
  const Check check("eval.best_of_n_curve");
  check_pair(check, scores, gold, 1);
  if (ns.empty()) check.refuse(ErrorKind::empty, "ns", "is empty");
  const auto s = as_real(scores);
  const auto order = s.argsort(/*stable=*/true, 0, /*descending=*/false);
  const auto sorted = s.index_select(0, order);
  const auto shared = mean_of_ties(sorted, as_real(gold).index_select(0, order));
  std::vector<Tensor> proxy, value;
  std::vector<double> kl;
  for (const int64_t n : ns) {
    check_n(check, "ns", n, s.size(0));
    const auto weights = best_of_n_weights(s.size(0), n).to(s.device());
    proxy.push_back((weights * sorted).sum());
    value.push_back((weights * shared).sum());
    kl.push_back(best_of_n_kl(n));
  }
  return {at::stack(proxy), at::stack(value), at::tensor(kl, at::kDouble)};
}

double best_of_n_kl(int64_t n) {
  const Check check("eval.best_of_n_kl");
  check.that(n >= 1, "n", ">= 1", n);
  const auto count = static_cast<double>(n);
  return std::log(count) - (count - 1) / count;
}

Tensor best_of_n_reward(const Tensor& rewards, int64_t n) {
  const Check check("eval.best_of_n_reward");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 1);
  check.finite("rewards", rewards);
  check_n(check, "n", n, rewards.size(0));
  const auto sorted = std::get<0>(as_real(rewards).sort());
  return (best_of_n_weights(rewards.size(0), n).to(sorted.device()) * sorted).sum();
}

BestOfNLaw best_of_n_distribution(const Tensor& probs, const Tensor& rewards, int64_t n) {
  const Check check("eval.best_of_n_distribution");
  check.not_empty("probs", probs);
  check.not_empty("rewards", rewards);
  check.dim("probs", probs, 1);
  check.same_shape("probs", probs, "rewards", rewards);
  check.finite("probs", probs);
  check.finite("rewards", rewards);
  check.that(n >= 1, "n", ">= 1", n);
  const auto p = as_real(probs), r = as_real(rewards);
  check.range("probs", p, 0, 1);
  if (readable(p)) {
    const double total = p.sum().item<double>();
    check.that(std::abs(total - 1) <= 1e-6, "probs", "summing to 1 within 1e-6", total);
  }
  // below, up_to: mass of answers strictly worse, and of those not better, per answer.
  const auto worse = r.unsqueeze(0).lt(r.unsqueeze(1)).to(p.dtype());
  const auto tied = r.unsqueeze(0).eq(r.unsqueeze(1)).to(p.dtype());
  const auto group = tied.matmul(p);
  const auto below = worse.matmul(p).clamp(0, 1);
  const auto up_to = (below + group).clamp_max(1);
  // up_to^n - below^n = up_to^n (1 - (below/up_to)^n), in logarithms where the powers underflow.
  const auto count = static_cast<double>(n);
  const auto log_up = up_to.clamp_min(1e-300).log();
  const auto shrink = count * (at::log1p(-(group / up_to.clamp_min(1e-300)).clamp_max(1)));
  const auto ratio = at::exp(count * log_up) * -at::expm1(shrink) / group.clamp_min(1e-300);
  const auto law = at::where(p > 0, p * ratio, at::zeros_like(p));
  const auto kl = at::where(law > 0, law * ratio.clamp_min(1e-300).log(), at::zeros_like(p)).sum();
  return {law, kl, (law * r).sum()};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("best_of_n(Tensor scores, Tensor gold, int n, str mode=\"unbiased\") -> (Tensor value)",
        [](const Tensor& scores, const Tensor& gold, int64_t n, const std::string& mode) {
          return best_of_n(scores, gold, n, mode);
        },
        "Expected gold of the answer that the score picks among n, over all n-subsets.", {"18", "40"});
  m.def("best_of_n_curve(Tensor scores, Tensor gold, int[] ns) -> (Tensor proxy, Tensor gold, Tensor kl)",
        [](const Tensor& scores, const Tensor& gold, at::IntArrayRef ns) {
          const auto curve = best_of_n_curve(scores, gold, ns.vec());
          return std::make_tuple(curve.proxy, curve.gold, curve.kl);
        },
        "Score, gold and KL of best-of-n at several n, for one prompt.", {"40", "44"});
  m.def("best_of_n_kl(int n) -> (float kl)", &best_of_n_kl, "KL of best-of-n from its base: log n - (n-1)/n.",
        {"18", "40", "42"});
  m.def("best_of_n_reward(Tensor rewards, int n) -> (Tensor expected)", &best_of_n_reward,
        "Expected maximum of n rewards drawn without replacement.", {"42"});
  m.def(
      "best_of_n_distribution(Tensor probs, Tensor rewards, int n) -> (Tensor probs, Tensor kl, Tensor "
      "expected)",
      [](const Tensor& probs, const Tensor& rewards, int64_t n) {
        const auto law = best_of_n_distribution(probs, rewards, n);
        return std::make_tuple(law.probs, law.kl, law.expected);
      },
      "Exact law of best-of-n for a discrete policy.", {"40", "41"});
}

}  // namespace plaudit::eval
