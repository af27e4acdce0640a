#include "plaudit/eval/pair_consistency.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

Tensor share(const Tensor& flags) {
  return flags.to(at::kDouble).mean();
}

}  // namespace

ContrastConsistency contrast_consistency(const Tensor& scores, bool symmetric) {
  const Check check("eval.contrast_consistency");
  check.not_empty("scores", scores);
  check.shape("scores", scores, {-1, 2, 2});
  check.no_nan("scores", scores);
  const auto at = [&](int64_t i, int64_t j) { return scores.select(1, i).select(1, j); };
  const auto response_1 = at(0, 0).gt(at(0, 1)), instruction_1 = at(0, 0).gt(at(1, 0));
  const auto response_2 = at(1, 1).gt(at(1, 0)), instruction_2 = at(1, 1).gt(at(0, 1));
  const auto joint =
      share(response_1.logical_and(instruction_1).logical_and(response_2).logical_and(instruction_2));
  if (!symmetric) return {share(response_1), share(instruction_1), joint};
  return {(share(response_1) + share(response_2)) / 2, (share(instruction_1) + share(instruction_2)) / 2,
          joint};
}

ToolPreferenceAccuracy tool_preference_accuracy(const Tensor& positive_scores, const Tensor& negative_scores,
                                                const Tensor& positive_ok, const Tensor& negative_ok) {
  const Check check("eval.tool_preference_accuracy");
  const std::initializer_list<NamedTensor> tensors = {{"positive_scores", positive_scores},
                                                      {"negative_scores", negative_scores},
                                                      {"positive_ok", positive_ok},
                                                      {"negative_ok", negative_ok}};
  for (const auto& t : tensors) check.not_empty(t.name, t.value);
  check.dim("positive_scores", positive_scores, 1);
  for (const auto& t : tensors) check.same_shape("positive_scores", positive_scores, t.name, t.value);
  check.no_nan("positive_ok", positive_ok);
  check.no_nan("negative_ok", negative_ok);
  const auto done = positive_ok.ne(0).logical_and(negative_ok.ne(0));
  check.no_nan("positive_scores", at::where(positive_ok.ne(0), as_real(positive_scores), 0.0));
  check.no_nan("negative_scores", at::where(negative_ok.ne(0), as_real(negative_scores), 0.0));
  return {share(done.logical_and(positive_scores.gt(negative_scores))), done.logical_not().sum()};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def(
      "contrast_consistency(Tensor scores, bool symmetric=True) -> (Tensor response_consistency, Tensor "
      "instruction_consistency, Tensor joint)",
      [](const Tensor& scores, bool symmetric) { return as_tuple(contrast_consistency(scores, symmetric)); },
      "Whether a reward notices that the instruction or the response changed.", {"47"});
  m.def(
      "tool_preference_accuracy(Tensor positive_scores, Tensor negative_scores, Tensor positive_ok, Tensor "
      "negative_ok) -> (Tensor accuracy, Tensor failed)",
      [](const Tensor& positive, const Tensor& negative, const Tensor& positive_ok,
         const Tensor& negative_ok) {
        return as_tuple(tool_preference_accuracy(positive, negative, positive_ok, negative_ok));
      },
      "Preference accuracy of a generating reward model, failures counted as wrong.", {"31"});
}

}  // namespace plaudit
