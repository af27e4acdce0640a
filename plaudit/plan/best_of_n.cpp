#include "plaudit/plan/best_of_n.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

// Which scores count, as booleans of the shape of `scores`; NaN among them is refused.
Tensor counted(const Check& check, std::string_view name, const Tensor& scores, std::string_view mask_name,
               const std::optional<Tensor>& mask) {
  if (mask) check.same_shape(name, scores, mask_name, *mask);
  const auto ok = mask ? mask->ne(0) : at::ones(scores.sizes(), scores.options().dtype(at::kBool));
  check.no_nan(name, at::where(ok, as_real(scores), 0.0));
  return ok;
}

// The order of a row: valid scores from high to low, then the others, ties by index.
Tensor descending(const Tensor& scores, const Tensor& ok) {
  const auto shown = at::where(ok, as_real(scores), -std::numeric_limits<double>::infinity());
  const auto by_score = at::argsort(shown, /*stable=*/true, -1, /*descending=*/true);
  const auto by_mask =
      at::argsort(ok.gather(-1, by_score).to(at::kInt), /*stable=*/true, -1, /*descending=*/true);
  return by_score.gather(-1, by_mask);
}

}  // namespace

int64_t best_of_n_index(const Tensor& scores, const std::optional<Tensor>& valid) {
  const Check check("decode.best_of_n");
  check.not_empty("scores", scores);
  check.dim("scores", scores, 1);
  const auto ok = counted(check, "scores", scores, "valid", valid);
  if (!ok.any().item<bool>()) check.refuse(ErrorKind::empty, "valid", "marks no score");
  return descending(scores, ok)[0].item<int64_t>();
}

BestOfK best_of_k(const Tensor& rewards, const std::optional<Tensor>& valid) {
  const Check check("filter.best_of_k");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 2);
  const auto ok = counted(check, "rewards", rewards, "valid", valid);
  const auto first = descending(rewards, ok).select(1, 0);
  const auto keep = ok.any(1);
  const auto best = as_real(rewards).gather(1, first.unsqueeze(1)).squeeze(1);
  return {at::where(keep, first, at::full_like(first, -1)), keep.to(at::kLong),
          at::where(keep, best, at::zeros_like(best))};
}

RankedCandidates rank_candidates(const Tensor& rewards, const std::optional<Tensor>& mask) {
  const Check check("decode.rank_candidates");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 2);
  const auto ok = counted(check, "rewards", rewards, "mask", mask);
  if (readable(ok) && !ok.any(1).all().item<bool>())
    check.refuse(ErrorKind::empty, "mask", "marks no score in a row");
  const auto order = descending(rewards, ok);
  const auto place = at::arange(order.size(1), order.options()).expand_as(order);
  const auto index = order.select(1, 0);
  return {index, as_real(rewards).gather(1, index.unsqueeze(1)).squeeze(1),
          at::zeros_like(order).scatter(1, order, place)};
}

Reflexion reflexion_select(const Tensor& scores, double threshold, int64_t max_trials) {
  const Check check("decode.reflexion_select");
  check.not_empty("scores", scores);
  check.dim("scores", scores, 1);
  check.no_nan("scores", scores);
  check.that(!std::isnan(threshold), "threshold", "a number", threshold);
  check.that(max_trials >= 1, "max_trials", ">= 1", max_trials);
  const auto all = on_cpu_f64(scores);
  Reflexion result{0, 0};
  for (int64_t t = 0; t < std::min(all.numel(), max_trials); ++t) {
    const double score = all.const_data_ptr<double>()[t];
    if (score > all.const_data_ptr<double>()[result.index]) result.index = t;
    result.trials = t + 1;
    if (score >= threshold) break;
  }
  return result;
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "best_of_n(Tensor scores, Tensor? valid=None) -> (int index)",
      [](const Tensor& scores, const std::optional<Tensor>& valid) { return best_of_n_index(scores, valid); },
      "The first maximum among the valid scores.", {"57"});
  m.def("rank_candidates(Tensor rewards, Tensor? mask=None) -> (Tensor index, Tensor reward, Tensor rank)",
        [](const Tensor& rewards, const std::optional<Tensor>& mask) {
          return as_tuple(rank_candidates(rewards, mask));
        },
        "Batched best-of-n with the rank of every candidate.", {"44"});
  m.def("reflexion_select(Tensor scores, float threshold, int max_trials) -> (int index, int trials)",
        [](const Tensor& scores, double threshold, int64_t max_trials) {
          return as_tuple(reflexion_select(scores, threshold, max_trials));
        },
        "The best of trials that stop at a good enough score.", {"57"});
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def("best_of_k(Tensor rewards, Tensor? valid=None) -> (Tensor index, Tensor keep, Tensor best)",
        [](const Tensor& rewards, const std::optional<Tensor>& valid) {
          return as_tuple(best_of_k(rewards, valid));
        },
        "The best valid answer of each prompt.", {"41"});
}

}  // namespace plaudit
