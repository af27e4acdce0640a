// How an image is cut into tiles for a vision tower.
//
// Source: InternLM-XComposer2-4KHD and 2.5, 2024, arXiv 2407.03320, code of the partition.
#pragma once

#include <cstdint>

namespace plaudit {

struct ImageGrid {
  bool transposed;         // width and height were swapped so that the width is the larger
  int64_t scale;           // tiles along the width
  int64_t resized_width;   // pixels
  int64_t resized_height;  // before padding
  int64_t padded_height;   // whole tiles
  int64_t pad_top;         // half of the padding, rounded down
  int64_t tiles;
};
// Sizes in pixels, all >= 1 (kind value).
ImageGrid image_grid(int64_t width, int64_t height, int64_t resolution = 560, int64_t max_tiles = 18);

}  // namespace plaudit
