// Plots as SVG text: drawn here, without a script or a network.
#pragma once

#include <string>
#include <vector>

namespace plaudit {

struct PlotAxes {
  std::string title;
  std::string x, y;    // labels, with units
  bool log_x = false;  // powers of two or ten, e.g. n of best-of-n; all x must be > 0
};

// One line. `low` and `high` are empty or one per point: a band around it.
struct Series {
  std::string name;
  std::vector<double> x, y;
  std::vector<double> low = {}, high = {};
};

// One bar; low == high: without an interval.
struct Bar {
  std::string name;
  double value = 0;
  double low = 0, high = 0;
};

// Complete <svg> elements that follow the reader's light or dark preference. Points that are not finite leave
// a gap. UserErrors: (shape) lists of unequal length; (value) x <= 0 on a logarithmic axis.
std::string line_plot_svg(const PlotAxes& axes, const std::vector<Series>& series);
std::string bar_plot_svg(const PlotAxes& axes, const std::vector<Bar>& bars);

}  // namespace plaudit
