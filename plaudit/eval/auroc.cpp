#include "plaudit/eval/auroc.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"

namespace plaudit {

Tensor auroc(const Tensor& scores, const Tensor& labels) {
  const Check check("eval.auroc");
  check.not_empty("scores", scores);
  check.not_empty("labels", labels);
  check.dim("scores", scores, 1);
  check.same_shape("scores", scores, "labels", labels);
  check.no_nan("scores", scores);
  check.no_nan("labels", labels);
  const auto positive = labels.ne(0);
  check.that(!positive.logical_and(labels.ne(1)).any().item<bool>(), "labels", "0 or 1", "another value");
  const auto positives = positive.sum().item<int64_t>();
  check.that(positives > 0 && positives<labels.size(0), "labels", "of both classes", positives> 0 ? "only 1"
                                                                                                  : "only 0");
  const auto above = scores.masked_select(positive);
  const auto negatives = std::get<0>(scores.masked_select(positive.logical_not()).sort());
  // Negatives below each positive, and not above it: their mean counts ties half.
  const auto below = at::searchsorted(negatives, above, /*out_int32=*/false, /*right=*/false);
  const auto up_to = at::searchsorted(negatives, above, /*out_int32=*/false, /*right=*/true);
  return (below + up_to).to(at::kDouble).mean() / (2 * static_cast<double>(negatives.size(0)));
}

Tensor prefix_scores(const Tensor& partial, const Tensor& lengths, double percentile) {
  const Check check("eval.prefix_scores");
  check.not_empty("partial", partial);
  check.not_empty("lengths", lengths);
  check.dim("partial", partial, 2);
  check.shape("lengths", lengths, {partial.size(0)});
  check.no_nan("lengths", lengths);
  check.index_range("lengths", lengths, 1, partial.size(1) + 1);
  const auto position = at::arange(partial.size(1), lengths.options().dtype(at::kLong));
  check.finite_where("partial", partial, position < lengths.unsqueeze(1));
  check.that(percentile >= 0 && percentile <= 1, "percentile", "in [0, 1]", percentile);
  const auto end = (lengths.to(at::kDouble) * percentile).floor().to(at::kLong);
  return partial.gather(1, (end - 1).clamp_min(0).unsqueeze(1)).squeeze(1);
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("auroc(Tensor scores, Tensor labels) -> (Tensor auroc)", &auroc,
        "Probability that a positive outranks a negative.", {"14"});
  m.def("prefix_scores(Tensor partial, Tensor lengths, float percentile) -> (Tensor scores)", &prefix_scores,
        "Scores of a share of each sequence.", {"14"});
}

}  // namespace plaudit
