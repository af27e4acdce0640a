// Scales of plots: from numbers to pixels, with readable ticks.
#pragma once

#include <string>
#include <vector>

namespace plaudit {

struct Tick {
  double value;
  std::string label;
};

class PlotScale {
 public:
  // From [low, high] to pixels [from, to] (from > to for y, which grows downwards). An empty range is
  // widened. `logarithmic` needs low > 0.
  PlotScale(double low, double high, double from, double to, bool logarithmic = false);

  double pixel(double value) const;
  double low() const { return low_; }
  double high() const { return high_; }

  // About `count` ticks at steps of 1, 2, 2.5 or 5 times a power of ten, all within the range; on a
  // logarithmic scale powers of two (up to ten of them), else of ten, where the range holds at least two.
  std::vector<Tick> ticks(int count) const;

 private:
  double low_, high_, from_, to_;
  bool logarithmic_;
};

// The shortest text that tells neighbours at this step apart: tick_label(0.30000001, 0.1) is "0.3".
std::string tick_label(double value, double step);

}  // namespace plaudit
