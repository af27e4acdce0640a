#include "plaudit/feedback/boxes.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

Tensor corner(const Tensor& boxes, int64_t i) {
  return boxes.select(-1, i);
}

Tensor area(const Tensor& boxes) {
  return (corner(boxes, 2) - corner(boxes, 0)) * (corner(boxes, 3) - corner(boxes, 1));
}

// The area in common of boxes that broadcast.
Tensor common_area(const Tensor& a, const Tensor& b) {
  const auto width = at::minimum(corner(a, 2), corner(b, 2)) - at::maximum(corner(a, 0), corner(b, 0));
  const auto height = at::minimum(corner(a, 3), corner(b, 3)) - at::maximum(corner(a, 1), corner(b, 1));
  return width.clamp_min(0) * height.clamp_min(0);
}

// a/b, and 0 where b is 0.
Tensor ratio(const Tensor& a, const Tensor& b) {
  return at::where(b > 0, a / at::where(b > 0, b, at::ones_like(b)), at::zeros_like(a));
}

}  // namespace

void check_boxes(const Check& check, std::string_view argument, const Tensor& boxes) {
  if (boxes.dim() != 2 && boxes.numel() == 0) return;  // an empty list has lost its second dimension
  check.shape(argument, boxes, {-1, 4});
  check.finite(argument, boxes);
  if (!readable(boxes)) return;
  const auto inverted =
      corner(boxes, 2).lt(corner(boxes, 0)).logical_or(corner(boxes, 3).lt(corner(boxes, 1)));
  if (inverted.any().item<bool>())
    check.refuse(ErrorKind::value, argument,
                 fmt::format("must hold boxes with x1 <= x2 and y1 <= y2, row {} is not",
                             inverted.to(at::kInt).argmax().item<int64_t>()));
}

Tensor box_iou(const Tensor& a, const Tensor& b) {
  const Check check("verify.box_iou");
  check_boxes(check, "a", a);
  check_boxes(check, "b", b);
  const auto x = as_real(a).reshape({-1, 4}).unsqueeze(1), y = as_real(b).reshape({-1, 4}).unsqueeze(0);
  const auto common = common_area(x, y);
  return ratio(common, area(x) + area(y) - common);
}

Tensor box_giou(const Tensor& a, const Tensor& b) {
  const Check check("verify.box_giou");
  check_boxes(check, "a", a);
  check_boxes(check, "b", b);
  check.same_shape("a", a, "b", b);
  const auto x = as_real(a).reshape({-1, 4}), y = as_real(b).reshape({-1, 4});
  const auto common = common_area(x, y), joint = area(x) + area(y) - common;
  const auto hull = (at::maximum(corner(x, 2), corner(y, 2)) - at::minimum(corner(x, 0), corner(y, 0))) *
                    (at::maximum(corner(x, 3), corner(y, 3)) - at::minimum(corner(x, 1), corner(y, 1)));
  return ratio(common, joint) - ratio(hull - joint, hull);
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("box_iou(Tensor a, Tensor b) -> (Tensor iou)", &box_iou,
        "Intersection over union of every pair of boxes.", {"54"});
  m.def("box_giou(Tensor a, Tensor b) -> (Tensor giou)", &box_giou,
        "Generalised intersection over union of row pairs of boxes.", {"54"});
}

}  // namespace plaudit
