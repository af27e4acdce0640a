#include "plaudit/core/webp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <webp/demux.h>

#include <cmath>
#include <cstdlib>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

constexpr int kWidth = 32, kHeight = 24;

std::vector<uint8_t> plain(uint8_t red, uint8_t green, uint8_t blue) {
  std::vector<uint8_t> rgb;
  for (int i = 0; i < kWidth * kHeight; ++i) rgb.insert(rgb.end(), {red, green, blue});
  return rgb;
}

// The same with another lower half, so that a film stood on its head would be seen.
std::vector<uint8_t> halves(const std::vector<uint8_t>& upper, const std::vector<uint8_t>& lower) {
  auto rgb = upper;
  std::copy(lower.begin() + static_cast<ptrdiff_t>(lower.size() / 2), lower.end(),
            rgb.begin() + static_cast<ptrdiff_t>(rgb.size() / 2));
  return rgb;
}

struct Film {
  WebPAnimInfo info = {};
  std::vector<int> ends;                     // of each picture, in milliseconds
  std::vector<std::vector<uint8_t>> pixels;  // RGBA
};

Film decode(const std::string& bytes) {
  const WebPData data = {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)> decoder(
      WebPAnimDecoderNew(&data, nullptr), &WebPAnimDecoderDelete);
  Film film;
  if (decoder == nullptr) return film;
  WebPAnimDecoderGetInfo(decoder.get(), &film.info);
  while (WebPAnimDecoderHasMoreFrames(decoder.get())) {
    uint8_t* rgba = nullptr;
    int end = 0;
    WebPAnimDecoderGetNext(decoder.get(), &rgba, &end);
    film.ends.push_back(end);
    film.pixels.emplace_back(rgba, rgba + static_cast<ptrdiff_t>(4 * kWidth * kHeight));
  }
  return film;
}

// Of a byte: where colours meet, single ones may be far off.
double mean_difference(const std::vector<uint8_t>& rgba, const std::vector<uint8_t>& rgb) {
  double sum = 0;
  for (size_t i = 0; i < rgb.size() / 3; ++i)
    for (size_t c = 0; c < 3; ++c) sum += std::abs(rgba[4 * i + c] - rgb[3 * i + c]);
  return sum / static_cast<double>(rgb.size());
}

TEST(Webp, IsReadBackAsItWasMade) {
  const auto red = plain(200, 30, 30), green = plain(30, 180, 60), blue = plain(20, 40, 220);
  const std::vector<std::vector<uint8_t>> pictures = {red, halves(green, blue), halves(blue, green)};
  WebpAnimation animation(kWidth, kHeight, 90);
  animation.add(pictures[0], 0);
  animation.add(pictures[1], 0.04);
  animation.add(pictures[2], 0.1);
  EXPECT_EQ(animation.pictures(), 3);
  const auto film = decode(animation.finish(0.25));
  EXPECT_EQ(film.info.canvas_width, kWidth);
  EXPECT_EQ(film.info.canvas_height, kHeight);
  EXPECT_EQ(film.info.frame_count, 3);
  EXPECT_EQ(film.info.loop_count, 0);  // for ever
  EXPECT_THAT(film.ends, ::testing::ElementsAre(40, 100, 250));
  ASSERT_EQ(film.pixels.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_LT(mean_difference(film.pixels[i], pictures[i]), 5) << i;
}

TEST(Webp, APictureThatStaysIsShownForLonger) {
  WebpAnimation animation(kWidth, kHeight);
  const auto first = plain(10, 10, 10), second = plain(240, 240, 240);
  animation.add(first, 0);
  animation.add(first, 0.1);
  animation.add(second, 0.2);
  const auto film = decode(animation.finish(0.3));
  EXPECT_THAT(film.ends, ::testing::ElementsAre(200, 300));
}

TEST(Webp, QualityCostsBytes) {
  std::vector<uint8_t> noise(3 * kWidth * kHeight);
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<uint8_t>(i * i * 2654435761u >> 7);
  const auto size = [&](double quality) {
    WebpAnimation animation(kWidth, kHeight, quality);
    animation.add(noise, 0);
    animation.add(plain(9, 9, 9), 1);
    return animation.finish(2).size();
  };
  EXPECT_GT(size(95), size(10));
}

TEST(Webp, NamesWhatIsWrong) {
  expect_error(ErrorKind::value, "width", [] { WebpAnimation(0, 24); });
  expect_error(ErrorKind::value, "height", [] { WebpAnimation(32, 16384); });
  expect_error(ErrorKind::value, "quality", [] { WebpAnimation(32, 24, 101); });
  WebpAnimation animation(kWidth, kHeight);
  expect_error(ErrorKind::empty, "film", [&] { animation.finish(1); });
  expect_error(ErrorKind::shape, "rgb", [&] { animation.add(std::vector<uint8_t>(10), 0); });
  expect_error(ErrorKind::value, "seconds", [&] { animation.add(plain(1, 2, 3), 0.5); });
  animation.add(plain(1, 2, 3), 0);
  expect_error(ErrorKind::value, "seconds", [&] { animation.add(plain(3, 2, 1), 0); });
  expect_error(ErrorKind::value, "seconds", [&] { animation.finish(std::nan("")); });
}

}  // namespace
}  // namespace plaudit
