// Images as CLIP reads them.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// Pixels f32 [3,size,size] of an image u8 [H,W,3]: antialiased bicubic resize (a = -0.5), centre crop, /255,
// CLIP's mean and deviation. mode "shortest_edge": the shorter edge becomes `size`, the other int(size
// long/short); "squash": both do. Radford et al., CLIP, 2021, arXiv 2103.00020. Errors: empty, shape, nan,
// value.
Tensor preprocess_image(const Tensor& image, int64_t size, const std::string& mode = "shortest_edge");

}  // namespace plaudit
