#include "plaudit/feedback/best_worst.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

BestWorst select_best_worst(const Tensor& prefers, const std::optional<Tensor>& beats_incumbent) {
  const Check check("preference.select_best_worst");
  check.not_empty("prefers", prefers);
  check.dim("prefers", prefers, 2);
  check.same_size("prefers", prefers, 0, "prefers", prefers, 1);
  const int64_t k = prefers.size(0);
  if (beats_incumbent) check.shape("beats_incumbent", *beats_incumbent, {k});
  check.no_nan("prefers", prefers);
  if (beats_incumbent) check.no_nan("beats_incumbent", *beats_incumbent);
  check.that(k >= 2, "prefers", "of at least 2 candidates", k);
  const auto answers = prefers.ne(0).cpu();
  check.that(!answers.diagonal().any().item<bool>(), "prefers", "zero on its diagonal", "a nonzero entry");
  const auto asked = [&](int64_t i, int64_t j) { return answers[i][j].item<bool>(); };
  int64_t best = 0;
  for (int64_t j = 1; j < k; ++j) {
    if (asked(j, best)) best = j;
  }
  int64_t worst = best == 0 ? 1 : 0;
  for (int64_t j = worst + 1; j < k; ++j) {
    if (j != best && asked(worst, j)) worst = j;
  }
  const bool keeps = beats_incumbent && (*beats_incumbent)[best].item<double>() == 0;
  return {best, worst, 2 * k - 3 + (beats_incumbent ? 1 : 0), keeps};
}

Tensor proxy_prefers(const Tensor& scores) {
  const Check check("preference.proxy_prefers");
  check.not_empty("scores", scores);
  check.dim("scores", scores, 1);
  check.no_nan("scores", scores);
  return scores.unsqueeze(1).gt(scores.unsqueeze(0)).to(at::kLong);
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "select_best_worst(Tensor prefers, Tensor? beats_incumbent=None) -> (int best, int worst, int queries, "
      "bool keeps_incumbent)",
      [](const Tensor& prefers, const std::optional<Tensor>& beats) {
        return as_tuple(select_best_worst(prefers, beats));
      },
      "Best and worst of a set by sequential pairwise questions.", {"34"});
  m.def("proxy_prefers(Tensor scores) -> (Tensor prefers)", &proxy_prefers,
        "Pairwise answers of an annotator who sees a score.", {"34"});
}

}  // namespace plaudit
