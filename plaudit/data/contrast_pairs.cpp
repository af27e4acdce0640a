#include "plaudit/data/contrast_pairs.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

constexpr double kTolerance = 1e-12;
using Point = std::array<double, 2>;

// Coordinates in the first two principal components; the second is 0 where there is only one.
std::vector<Point> principal_plane(const Tensor& embeddings) {
  const auto x = embeddings.to(at::kCPU, at::kDouble);
  const auto centred = x - x.mean(0);
  const auto [u, s, vh] = at::linalg_svd(centred, /*full_matrices=*/false);
  auto plane = centred.matmul(vh.slice(0, 0, 2).t());
  if (plane.size(1) < 2) plane = at::constant_pad_nd(plane, {0, 1});
  std::vector<Point> points;
  for (int64_t i = 0; i < plane.size(0); ++i)
    points.push_back({plane[i][0].item<double>(), plane[i][1].item<double>()});
  return points;
}

double cross(const Point& o, const Point& a, const Point& b) {
  return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
}

bool same(const Point& a, const Point& b) {
  return std::abs(a[0] - b[0]) <= kTolerance && std::abs(a[1] - b[1]) <= kTolerance;
}

// One side of the hull over points in order (Andrew's monotone chain).
template <class Iterator>
std::vector<int64_t> chain(const std::vector<Point>& points, Iterator begin, Iterator end) {
  std::vector<int64_t> side;
  const auto point = [&](int64_t i) -> const Point& { return points[static_cast<size_t>(i)]; };
  for (auto next = begin; next != end; ++next) {
    while (side.size() >= 2 &&
           cross(point(side[side.size() - 2]), point(side.back()), point(*next)) <= kTolerance)
      side.pop_back();
    side.push_back(*next);
  }
  return side;
}

}  // namespace

Tensor select_contrast_pairs(const Tensor& similarity, const ContrastOptions& options) {
  const Check check("contrastive.select_contrast_pairs");
  check.not_empty("similarity", similarity);
  check.dim("similarity", similarity, 2);
  check.same_size("similarity", similarity, 0, "similarity", similarity, 1);
  if (options.same_response)
    check.same_shape("similarity", similarity, "same_response", *options.same_response);
  check.no_nan("similarity", similarity);
  if (std::isnan(options.low)) check.refuse(ErrorKind::nan, "low", "is NaN");
  if (std::isnan(options.high)) check.refuse(ErrorKind::nan, "high", "is NaN");
  check.that(options.low <= options.high, "low", fmt::format("<= high = {}", options.high), options.low);
  const auto s = as_real(similarity);
  auto fits = s.ge(options.low).logical_and(s.le(options.high));
  fits = fits.logical_and(at::eye(s.size(0), s.options().dtype(at::kBool)).logical_not());
  if (options.same_response) fits = fits.logical_and(options.same_response->eq(0));
  const auto partner = at::where(fits, s, -std::numeric_limits<double>::infinity()).argmax(1);
  return at::where(fits.any(1), partner, -1);
}

std::vector<int64_t> convex_hull_select(const Tensor& embeddings) {
  const Check check("preference.convex_hull_select");
  check.not_empty("embeddings", embeddings);
  check.dim("embeddings", embeddings, 2);
  check.finite("embeddings", embeddings);
  std::vector<int64_t> order(static_cast<size_t>(embeddings.size(0)));
  std::iota(order.begin(), order.end(), 0);
  if (order.size() <= 2) return order;
  const auto points = principal_plane(embeddings);
  const auto point = [&](int64_t i) -> const Point& { return points[static_cast<size_t>(i)]; };
  std::vector<int64_t> different;
  for (const int64_t i : order) {
    if (std::none_of(different.begin(), different.end(), [&](int64_t j) { return same(point(i), point(j)); }))
      different.push_back(i);
  }
  if (different.size() <= 2) return different;
  std::sort(different.begin(), different.end(), [&](int64_t i, int64_t j) { return point(i) < point(j); });
  auto hull = chain(points, different.begin(), different.end());
  const auto upper = chain(points, different.rbegin(), different.rend());
  hull.insert(hull.end(), upper.begin(), upper.end());
  std::sort(hull.begin(), hull.end());
  hull.erase(std::unique(hull.begin(), hull.end()), hull.end());
  return hull;
}

PLAUDIT_FUNCTIONS(contrastive, m) {
  m.def(
      "select_contrast_pairs(Tensor similarity, Tensor? same_response=None, float low=0.75, float high=0.9) "
      "-> "
      "(Tensor partner)",
      [](const Tensor& similarity, std::optional<Tensor> same_response, double low, double high) {
        return select_contrast_pairs(similarity, {std::move(same_response), low, high});
      },
      "The most similar instruction with another answer.", {"47"});
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("convex_hull_select(Tensor embeddings) -> (int[] indices)", &convex_hull_select,
        "The augmentations at the corners of their convex hull.", {"47"});
}

}  // namespace plaudit
