#include "plaudit/eval/pareto.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"

namespace plaudit {

Tensor pareto_mask(const Tensor& points) {
  const Check check("eval.pareto_mask");
  check.not_empty("points", points);
  check.dim("points", points, 2);
  check.finite("points", points);
  const auto other = points.unsqueeze(0), self = points.unsqueeze(1);
  const auto dominated = other.ge(self).all(2).logical_and(other.gt(self).any(2));
  return dominated.any(1).logical_not();
}

Tensor hypervolume2d(const Tensor& points, const Tensor& reference) {
  const Check check("eval.hypervolume2d");
  check.not_empty("points", points);
  check.not_empty("reference", reference);
  check.shape("points", points, {-1, 2});
  check.shape("reference", reference, {2});
  check.finite("points", points);
  check.finite("reference", reference);
  // A point that is not above the reference in both coordinates shrinks to a box without area.
  const auto above = as_real(points) - as_real(reference);
  const auto box = at::where(above.gt(0).all(1, true), above, 0.0);
  const auto order = box.select(1, 0).argsort(/*stable=*/true, 0, /*descending=*/true);
  const auto x = box.select(1, 0).index_select(0, order), y = box.select(1, 1).index_select(0, order);
  // From right to left every point adds the strip by which it raises the front.
  const auto front = std::get<0>(y.cummax(0));
  const auto before = at::constant_pad_nd(front.slice(0, 0, -1), {1, 0});
  return (x * (front - before)).sum();
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("pareto_mask(Tensor points) -> (Tensor mask)", &pareto_mask, "The points that no other dominates.",
        {"52"});
  m.def("hypervolume2d(Tensor points, Tensor reference) -> (Tensor hypervolume)", &hypervolume2d,
        "Area that a set of points dominates.", {"52"});
}

}  // namespace plaudit
