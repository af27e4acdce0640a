#include "plaudit/model/clip_image.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

// Half of what is cut off, halves to even.
int64_t crop_offset(int64_t length, int64_t size) {
  return static_cast<int64_t>(std::nearbyint(static_cast<double>(length - size) / 2));
}

}  // namespace

Tensor preprocess_image(const Tensor& image, int64_t size, const std::string& mode) {
  const Check check("contrastive.preprocess_image");
  check.not_empty("image", image);
  check.shape("image", image, {-1, -1, 3});
  check.finite("image", image);
  check.range("image", image, 0, 255);
  check.that(size >= 1, "size", ">= 1", size);
  check.choice("mode", mode, {"shortest_edge", "squash"});

  int64_t height = size, width = size;
  if (mode == "shortest_edge") {
    const auto scaled = [&](int64_t edge, int64_t shorter) {
      return static_cast<int64_t>(static_cast<double>(size) * static_cast<double>(edge) /
                                  static_cast<double>(shorter));
    };
    if (image.size(0) < image.size(1)) {
      width = scaled(image.size(1), image.size(0));
    } else {
      height = scaled(image.size(0), image.size(1));
    }
  }
  auto pixels = image.to(at::kDouble).permute({2, 0, 1}).unsqueeze(0).contiguous();
  if (height != image.size(0) || width != image.size(1))
    pixels = at::_upsample_bicubic2d_aa(pixels, {height, width}, /*align_corners=*/false);
  const auto top = crop_offset(height, size), left = crop_offset(width, size);
  pixels = pixels[0].slice(1, top, top + size).slice(2, left, left + size) / 255;
  const auto mean = at::tensor({0.48145466, 0.4578275, 0.40821073}, pixels.options()).view({3, 1, 1});
  const auto deviation = at::tensor({0.26862954, 0.26130258, 0.27577711}, pixels.options()).view({3, 1, 1});
  return ((pixels - mean) / deviation).to(at::kFloat);
}

PLAUDIT_FUNCTIONS(contrastive, m) {
  m.def("preprocess_image(Tensor image, int size, str mode='shortest_edge') -> (Tensor pixels)",
        &preprocess_image, "An image resized, cropped and normalised for CLIP.", {"03"});
}

}  // namespace plaudit
