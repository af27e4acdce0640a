#include "plaudit/eval/jaccard.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

// The bounds 0, splits..., length of all steps.
std::vector<int64_t> bounds_of(const Check& check, std::string_view name, const std::vector<int64_t>& splits,
                               int64_t length) {
  std::vector<int64_t> bounds = {0};
  for (const int64_t split : splits) {
    check.that(split >= bounds.back() && split <= length, name, fmt::format("ascending in [0, {}]", length),
               split);
    bounds.push_back(split);
  }
  bounds.push_back(length);
  return bounds;
}

}  // namespace

Tensor jaccard(const Tensor& prediction, const Tensor& target) {
  const Check check("eval.jaccard");
  check.dim("prediction", prediction, 1);
  check.same_shape("prediction", prediction, "target", target);
  check.no_nan("prediction", prediction);
  check.no_nan("target", target);
  const auto p = prediction.ne(0), t = target.ne(0);
  const auto both = p.logical_and(t).sum().to(at::kDouble), either = p.logical_or(t).sum().to(at::kDouble);
  return at::where(either.eq(0), 1.0, both / either.clamp_min(1));
}

StepJaccard step_jaccard(const std::vector<int64_t>& splits, const std::vector<int64_t>& target_splits,
                         int64_t length) {
  const Check check("eval.step_jaccard");
  if (splits.size() != target_splits.size())
    check.refuse(ErrorKind::shape, "target_splits",
                 fmt::format("has {} entries for {} splits", target_splits.size(), splits.size()));
  check.that(length >= 1, "length", ">= 1", length);
  const auto a = bounds_of(check, "splits", splits, length);
  const auto b = bounds_of(check, "target_splits", target_splits, length);
  std::vector<double> overlaps;
  for (size_t k = 0; k + 1 < a.size(); ++k) {
    const int64_t both = std::max<int64_t>(0, std::min(a[k + 1], b[k + 1]) - std::max(a[k], b[k]));
    const int64_t either = a[k + 1] - a[k] + b[k + 1] - b[k] - both;
    overlaps.push_back(either == 0 ? 1 : static_cast<double>(both) / static_cast<double>(either));
  }
  const auto per_step = at::tensor(overlaps, at::kDouble);
  return {per_step, per_step.mean()};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("jaccard(Tensor prediction, Tensor target) -> (Tensor jaccard)", &jaccard,
        "Intersection over union of two sets of frames.", {"50"});
  m.def("step_jaccard(int[] splits, int[] target_splits, int length) -> (Tensor per_step, Tensor mean)",
        [](at::IntArrayRef splits, at::IntArrayRef target, int64_t length) {
          return as_tuple(step_jaccard(splits.vec(), target.vec(), length));
        },
        "Overlap of discovered steps with the true ones.", {"50"});
}

}  // namespace plaudit
