#include "plaudit/run/plot_text.h"

#include <cmath>

namespace plaudit {
namespace {

constexpr double kLetter = 6.6, kWideLetter = 12;

// The width that a byte adds: bytes that continue a letter add nothing.
double byte_width(char byte) {
  const auto b = static_cast<unsigned char>(byte);
  if ((b & 0xc0) == 0x80) return 0;
  return b >= 0xe3 ? kWideLetter : kLetter;
}

bool stay_apart(const std::vector<Tick>& ticks, size_t stride, const PlotScale& scale) {
  constexpr double gap = 8;
  for (size_t i = stride; i < ticks.size(); i += stride) {
    const auto &left = ticks[i - stride], &right = ticks[i];
    const double needed = (text_width(left.label) + text_width(right.label)) / 2 + gap;
    if (std::abs(scale.pixel(right.value) - scale.pixel(left.value)) < needed) return false;
  }
  return true;
}

}  // namespace

double text_width(const std::string& text) {
  double width = 0;
  for (const char byte : text) width += byte_width(byte);
  return width;
}

std::string shortened(const std::string& text, double most) {
  if (text_width(text) <= most) return text;
  double width = kLetter;  // of the "…"
  size_t end = 0;
  while (end < text.size() && width + byte_width(text[end]) <= most) width += byte_width(text[end++]);
  return text.substr(0, end) + "…";
}

std::vector<Tick> labels_that_fit(const std::vector<Tick>& ticks, const PlotScale& scale) {
  size_t stride = 1;
  while (!stay_apart(ticks, stride, scale)) ++stride;
  std::vector<Tick> out;
  for (size_t i = 0; i < ticks.size(); i += stride) out.push_back(ticks[i]);
  return out;
}

}  // namespace plaudit
