// Animated WebP: a film that browsers show without a plug-in, from RGB pictures, by libwebp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace plaudit {

class WebpAnimation {
 public:
  // Sides in pixels, 1 to 16383; quality 0 (small) to 100. UserErrors (value) where out of range.
  WebpAnimation(int64_t width, int64_t height, double quality = 75);
  ~WebpAnimation();
  WebpAnimation(const WebpAnimation&) = delete;
  WebpAnimation& operator=(const WebpAnimation&) = delete;

  // A picture, RGB [height,width,3] with the top row first, shown from that time on; the first one at 0. A
  // picture that equals the one before only prolongs it. UserErrors: another size (shape); a time that is not
  // at least a millisecond after the one before (value).
  void add(const std::vector<uint8_t>& rgb, double seconds);

  int64_t pictures() const { return pictures_; }

  // Ends the film at that time; the bytes of the file. It plays again and again. Called once. UserErrors: no
  // picture (empty); a time as for `add` (value).
  std::string finish(double seconds);

 private:
  struct Encoder;
  int milliseconds(double seconds);

  int width_, height_;
  int64_t pictures_ = 0;
  int last_ = -1;  // in milliseconds
  std::unique_ptr<Encoder> encoder_;
};

}  // namespace plaudit
