#include "plaudit/reward/image_grid.h"

#include <algorithm>
#include <cmath>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

ImageGrid image_grid(int64_t width, int64_t height, int64_t resolution, int64_t max_tiles) {
  const Check check("reward.image_grid");
  check.that(width >= 1, "width", ">= 1", width);
  check.that(height >= 1, "height", ">= 1", height);
  check.that(resolution >= 1, "resolution", ">= 1", resolution);
  check.that(max_tiles >= 1, "max_tiles", ">= 1", max_tiles);
  const bool transposed = width < height;
  if (transposed) std::swap(width, height);
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  const auto tiles_at = [&](int64_t s) {
    return static_cast<double>(s) * std::ceil(static_cast<double>(s) / ratio);
  };
  int64_t scale = 1;
  while (tiles_at(scale + 1) <= static_cast<double>(max_tiles)) ++scale;
  const double wanted = std::ceil(1.5 * static_cast<double>(width) / static_cast<double>(resolution));
  scale = std::min(static_cast<int64_t>(wanted), scale);
  const auto new_width = scale * resolution;
  const auto new_height = static_cast<int64_t>(static_cast<double>(new_width) / ratio);
  const auto rows = (new_height + resolution - 1) / resolution, padded = rows * resolution;
  return {transposed, scale, new_width, new_height, padded, (padded - new_height) / 2, scale * rows};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "image_grid(int width, int height, int resolution=560, int max_tiles=18) -> (bool transposed, int "
      "scale, int "
      "resized_width, int resized_height, int padded_height, int pad_top, int tiles)",
      [](int64_t width, int64_t height, int64_t resolution, int64_t max_tiles) {
        return as_tuple(image_grid(width, height, resolution, max_tiles));
      },
      "How an image is resized, padded and cut into tiles.", {"44"});
}

}  // namespace plaudit
