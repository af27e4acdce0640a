#include "plaudit/env/point_image.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

// The pixels [size,size] within `radius` of a point.
Tensor disc(const Tensor& point, int64_t size, double radius) {
  const auto p = point.to(at::kDouble);
  const auto span = static_cast<double>(size - 1);
  const auto column = (p[0] + 1) / 2 * span, row = (1 - p[1]) / 2 * span;
  const auto pixels = at::arange(size, p.options());
  return ((pixels.unsqueeze(1) - row).square() + (pixels.unsqueeze(0) - column).square()).sqrt().le(radius);
}

}  // namespace

Tensor render_point_task(const Tensor& position, const Tensor& goal, int64_t size, double radius) {
  const Check check("eval.render_point_task");
  check.not_empty("position", position);
  check.not_empty("goal", goal);
  check.shape("position", position, {2});
  check.shape("goal", goal, {2});
  check.finite("position", position);
  check.finite("goal", goal);
  check.that(size >= 1, "size", ">= 1", size);
  check.that(radius >= 0, "radius", ">= 0", radius);
  const auto options = position.options().dtype(at::kDouble);
  auto image = at::ones({3, size, size}, options);
  const auto paint = [&](const Tensor& where, double red, double green) {
    const auto colour = at::tensor({red, green, 0.0}, options).view({3, 1, 1});
    image = at::where(where.unsqueeze(0), colour, image);
  };
  paint(disc(goal, size, radius), 0, 1);
  paint(disc(position, size, radius), 1, 0);
  return image;
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("render_point_task(Tensor position, Tensor goal, int size, float radius) -> (Tensor image)",
        &render_point_task, "A picture of a point task.", {"11"});
}

}  // namespace plaudit
