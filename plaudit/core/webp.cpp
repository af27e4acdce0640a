#include "plaudit/core/webp.h"

#include <fmt/format.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <cmath>

#include "plaudit/core/checks.h"

namespace plaudit {
namespace {

const Check webp_check("webp");

int checked_side(const char* name, int64_t side) {
  webp_check.that(side >= 1 && side <= WEBP_MAX_DIMENSION, name,
                  fmt::format("in [1, {}]", WEBP_MAX_DIMENSION), side);
  return static_cast<int>(side);
}

// libwebp refuses only what this file should not have given it, or for want of memory.
void webp_must(bool done, const char* what) {
  if (!done) bug("webp", what);
}

}  // namespace

struct WebpAnimation::Encoder {
  std::unique_ptr<WebPAnimEncoder, decltype(&WebPAnimEncoderDelete)> file{nullptr, &WebPAnimEncoderDelete};
  WebPConfig config = {};
};

WebpAnimation::WebpAnimation(int64_t width, int64_t height, double quality)
    : width_(checked_side("width", width)),
      height_(checked_side("height", height)),
      encoder_(std::make_unique<Encoder>()) {
  webp_check.that(quality >= 0 && quality <= 100, "quality", "in [0, 100]", quality);
  WebPAnimEncoderOptions options;
  webp_must(WebPAnimEncoderOptionsInit(&options) != 0, "another version of libwebpmux is loaded");
  encoder_->file.reset(WebPAnimEncoderNew(width_, height_, &options));
  webp_must(encoder_->file != nullptr, "no encoder");
  webp_must(WebPConfigInit(&encoder_->config) != 0, "another version of libwebp is loaded");
  encoder_->config.quality = static_cast<float>(quality);
}

WebpAnimation::~WebpAnimation() = default;

int WebpAnimation::milliseconds(double seconds) {
  const auto time = std::llround(seconds * 1000);
  if (pictures_ == 0) webp_check.that(time == 0, "seconds", "0 for the first picture", seconds);
  webp_check.that(time > last_ && time < 1 << 24, "seconds",
                  fmt::format("a millisecond after {} at least, and below 16777", last_ / 1000.0), seconds);
  return last_ = static_cast<int>(time);
}

void WebpAnimation::add(const std::vector<uint8_t>& rgb, double seconds) {
  const auto bytes = static_cast<size_t>(3) * static_cast<size_t>(width_) * static_cast<size_t>(height_);
  if (rgb.size() != bytes)
    webp_check.refuse(
        ErrorKind::shape, "rgb",
        fmt::format("must hold 3 x {} x {} = {} bytes, got {}", width_, height_, bytes, rgb.size()));
  const int time = milliseconds(seconds);
  WebPPicture picture;
  webp_must(WebPPictureInit(&picture) != 0, "another version of libwebp is loaded");
  const std::unique_ptr<WebPPicture, decltype(&WebPPictureFree)> freed(&picture, &WebPPictureFree);
  picture.use_argb = 1;
  picture.width = width_;
  picture.height = height_;
  webp_must(WebPPictureImportRGB(&picture, rgb.data(), 3 * width_) != 0, "no memory for a picture");
  webp_must(WebPAnimEncoderAdd(encoder_->file.get(), &picture, time, &encoder_->config) != 0,
            WebPAnimEncoderGetError(encoder_->file.get()));
  ++pictures_;
}

std::string WebpAnimation::finish(double seconds) {
  if (pictures_ == 0) webp_check.refuse(ErrorKind::empty, "film", "has no picture");
  auto* file = encoder_->file.get();
  webp_must(WebPAnimEncoderAdd(file, nullptr, milliseconds(seconds), nullptr) != 0,
            WebPAnimEncoderGetError(file));
  WebPData data;
  WebPDataInit(&data);
  const std::unique_ptr<WebPData, decltype(&WebPDataClear)> freed(&data, &WebPDataClear);
  webp_must(WebPAnimEncoderAssemble(file, &data) != 0, WebPAnimEncoderGetError(file));
  return {reinterpret_cast<const char*>(data.bytes), data.size};
}

}  // namespace plaudit
