#include "plaudit/run/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/run/html.h"
#include "plaudit/run/plot_scale.h"
#include "plaudit/run/plot_text.h"

namespace plaudit {
namespace {

constexpr double kWidth = 640, kHeight = 360;

// Colours that stay apart for colour-blind readers (after Okabe and Ito 2008), darker on white, lighter on
// black.
constexpr const char* kStyle = R"(<style>
.plot{--ink:#1f2328;--soft:#59636e;--rule:#d1d9e0;--paper:#fff;--c0:#0072b2;--c1:#c44e00;--c2:#00795a;--c3:#a8488a;--c4:#7a6200;--c5:#5a5fd0;font:12px system-ui,sans-serif}
@media(prefers-color-scheme:dark){.plot{--ink:#e6edf3;--soft:#9aa4af;--rule:#3a424b;--paper:#15191e;--c0:#56b4e9;--c1:#f0964b;--c2:#3fc79a;--c3:#e39bc4;--c4:#e5c85a;--c5:#a3a8ff}}
.plot text{fill:var(--ink)}.plot .soft{fill:var(--soft)}.plot .title{font-weight:600;font-size:14px}
.plot .rule{stroke:var(--rule);fill:none}.plot .axis{stroke:var(--soft);fill:none}
.plot .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.plot .band{stroke:none;opacity:.18}
</style>)";

// Second signs of a line beside its colour.
constexpr const char* kDashes[] = {"", "7 4", "2 4", "10 4 2 4", "4 2", "1 3"};
constexpr size_t colour_count = 6;

std::string colour(size_t index) {
  return fmt::format("var(--c{})", index % colour_count);
}

constexpr double most_name = 220;  // pixels of a name in a legend or beside a bar

class Svg {
 public:
  Svg(const PlotAxes& axes, double total_height) {
    out_ = fmt::format(
        R"(<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}">{})",
        kWidth, total_height, escape_html(axes.title), kStyle);
    out_ += fmt::format(R"svg(<rect width="{}" height="{}" fill="var(--paper)"/>)svg", kWidth, total_height);
    // Its letters are a quarter wider than those that text_width knows.
    if (!axes.title.empty()) text(16, 22, shortened(axes.title, (kWidth - 32) / 1.25), "title", "start");
  }

  void text(double x, double y, const std::string& words, const char* kind, const char* anchor) {
    out_ += fmt::format(R"(<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)", kind, x, y,
                        anchor, escape_html(words));
  }
  void line(double x1, double y1, double x2, double y2, const char* kind) {
    out_ += fmt::format(R"(<path class="{}" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>)", kind, x1, y1, x2, y2);
  }
  void raw(const std::string& element) { out_ += element; }
  std::string done() const { return out_ + "</svg>"; }

 private:
  std::string out_;
};

void check_series(const PlotAxes& axes, const std::vector<Series>& series) {
  for (const auto& s : series) {
    const auto where = "plot " + axes.title + ", line " + s.name;
    const auto n = s.x.size();
    if (s.y.size() != n || (!s.low.empty() && s.low.size() != n) || s.low.size() != s.high.size())
      fail(ErrorKind::shape, where,
           fmt::format("x, y, low and high have {}, {}, {} and {} values", n, s.y.size(), s.low.size(),
                       s.high.size()));
    for (const double x : s.x) {
      if (axes.log_x && !(x > 0))
        fail(ErrorKind::value, where, fmt::format("x must be > 0 on a logarithmic axis, got {}", x));
    }
  }
}

struct Range {
  double low = INFINITY, high = -INFINITY;
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

// The frame of a line plot: title, legend, axes, ticks; knows where the plot area is.
struct Frame {
  PlotScale x, y;
  double left, right, top, bottom;
};

// One entry a line, wrapped over rows; returns the y below them.
double draw_legend(Svg& svg, const std::vector<Series>& series, double y) {
  if (series.size() < 2 && (series.empty() || series[0].name.empty())) return y;
  double x = 16;
  for (size_t i = 0; i < series.size(); ++i) {
    const auto name = shortened(series[i].name, most_name);
    const double needed = 34 + text_width(name);
    if (x > 16 && x + needed > kWidth - 16) {
      x = 16;
      y += 18;
    }
    svg.raw(fmt::format(R"(<path class="line" stroke="{}" stroke-dasharray="{}" d="M{:.1f} {:.1f}h22"/>)",
                        colour(i), kDashes[i % colour_count], x, y + 8));
    svg.text(x + 28, y + 12, name, "", "start");
    x += needed + 14;
  }
  return y + 22;
}

Frame draw_frame(Svg& svg, const PlotAxes& axes, const Range& x, const Range& y, double top) {
  const double bottom = kHeight - 46;
  const double pad = (y.high - y.low) * 0.06;
  const PlotScale y_scale(y.low - pad, y.high + pad, bottom, top);
  const auto y_ticks = y_scale.ticks(5);
  double label_width = 0;
  for (const auto& tick : y_ticks) label_width = std::max(label_width, text_width(tick.label));
  // The last label of x reaches half its width beyond its tick.
  double beyond = 0;
  for (const auto& tick : PlotScale(x.low, x.high, 0, 1, axes.log_x).ticks(7))
    beyond = std::max(beyond, text_width(tick.label) / 2);
  const double left = 40 + label_width, right = kWidth - 14 - beyond;
  const PlotScale x_scale(x.low, x.high, left, right, axes.log_x);

  for (const auto& tick : y_ticks) {
    const double at = y_scale.pixel(tick.value);
    svg.line(left, at, right, at, "rule");
    svg.text(left - 7, at + 4, tick.label, "soft", "end");
  }
  for (const auto& tick : labels_that_fit(x_scale.ticks(7), x_scale)) {
    const double at = x_scale.pixel(tick.value);
    svg.line(at, bottom, at, bottom + 5, "axis");
    svg.text(at, bottom + 19, tick.label, "soft", "middle");
  }
  svg.line(left, bottom, right, bottom, "axis");
  svg.text((left + right) / 2, kHeight - 9, axes.x, "", "middle");
  svg.raw(fmt::format(
      R"svg(<text transform="translate(16 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>)svg",
      (top + bottom) / 2, escape_html(axes.y)));
  return {x_scale, y_scale, left, right, top, bottom};
}

// The points that can be drawn, cut into runs at those that are not finite.
std::vector<std::vector<size_t>> finite_runs(const Series& s) {
  std::vector<std::vector<size_t>> runs(1);
  for (size_t i = 0; i < s.x.size(); ++i) {
    const bool finite = std::isfinite(s.x[i]) && std::isfinite(s.y[i]) &&
                        (s.low.empty() || (std::isfinite(s.low[i]) && std::isfinite(s.high[i])));
    if (finite)
      runs.back().push_back(i);
    else if (!runs.back().empty())
      runs.emplace_back();
  }
  if (runs.back().empty()) runs.pop_back();
  return runs;
}

void draw_band(Svg& svg, const Frame& frame, const Series& s, const std::vector<size_t>& run, size_t index) {
  std::string d;
  for (const size_t i : run)
    d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", frame.x.pixel(s.x[i]),
                     frame.y.pixel(s.high[i]));
  for (auto it = run.rbegin(); it != run.rend(); ++it)
    d += fmt::format("L{:.1f} {:.1f}", frame.x.pixel(s.x[*it]), frame.y.pixel(s.low[*it]));
  svg.raw(fmt::format(R"(<path class="band" fill="{}" d="{}Z"/>)", colour(index), d));
}

void draw_series(Svg& svg, const Frame& frame, const Series& s, size_t index) {
  constexpr size_t most_markers = 40;
  for (const auto& run : finite_runs(s)) {
    if (!s.low.empty()) draw_band(svg, frame, s, run, index);
    std::string d;
    for (const size_t i : run)
      d +=
          fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", frame.x.pixel(s.x[i]), frame.y.pixel(s.y[i]));
    svg.raw(fmt::format(R"(<path class="line" stroke="{}" stroke-dasharray="{}" d="{}"/>)", colour(index),
                        kDashes[index % colour_count], d));
    if (s.x.size() > most_markers && run.size() > 1) continue;
    for (const size_t i : run)
      svg.raw(fmt::format(
          R"(<circle fill="{}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{} {:g}: {:g}</title></circle>)",
          colour(index), frame.x.pixel(s.x[i]), frame.y.pixel(s.y[i]), escape_html(s.name), s.x[i], s.y[i]));
  }
}

constexpr double bar_height = 20, bar_gap = 10;

void draw_bar(Svg& svg, const PlotScale& scale, const Bar& bar, double y, size_t index) {
  const double zero = scale.pixel(0), end = scale.pixel(bar.value), middle = y + bar_height / 2;
  svg.raw(fmt::format(R"(<rect fill="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" rx="2"/>)",
                      colour(index), std::min(zero, end), y, std::abs(end - zero), bar_height));
  double edge = std::max(zero, end);
  if (bar.low < bar.high) {
    svg.raw(fmt::format(
        R"svg(<path stroke="var(--ink)" fill="none" d="M{0:.1f} {2:.1f}H{1:.1f}M{0:.1f} {3:.1f}v8M{1:.1f} {3:.1f}v8"/>)svg",
        scale.pixel(bar.low), scale.pixel(bar.high), middle, middle - 4));
    edge = std::max(edge, scale.pixel(bar.high));
  }
  svg.text(edge + 7, middle + 4, fmt::format("{:.3g}", bar.value), "", "start");
}

}  // namespace

std::string line_plot_svg(const PlotAxes& axes, const std::vector<Series>& series) {
  check_series(axes, series);
  Range x, y;
  for (const auto& s : series) {
    for (const auto& run : finite_runs(s)) {
      for (const size_t i : run) {
        x.add(s.x[i]);
        y.add(s.y[i]);
        if (s.low.empty()) continue;
        y.add(s.low[i]);
        y.add(s.high[i]);
      }
    }
  }
  Svg svg(axes, kHeight);
  const double top = draw_legend(svg, series, axes.title.empty() ? 12 : 34) + 6;
  if (x.empty()) {
    svg.text(kWidth / 2, kHeight / 2, "no values", "soft", "middle");
    return svg.done();
  }
  const Frame frame = draw_frame(svg, axes, x, y, top);
  for (size_t i = 0; i < series.size(); ++i) draw_series(svg, frame, series[i], i);
  return svg.done();
}

std::string bar_plot_svg(const PlotAxes& axes, const std::vector<Bar>& bars) {
  Range range;
  range.add(0);
  double names = 0;
  for (const auto& bar : bars) {
    if (!std::isfinite(bar.value) || !std::isfinite(bar.low) || !std::isfinite(bar.high))
      fail(ErrorKind::nan, "plot " + axes.title + ", bar " + bar.name, "must be finite");
    range.add(bar.value);
    if (bar.low < bar.high) {
      range.add(bar.low);
      range.add(bar.high);
    }
    names = std::max(names, text_width(shortened(bar.name, most_name)));
  }
  const double top = axes.title.empty() ? 14 : 40;
  const double bottom = top + static_cast<double>(bars.size()) * (bar_height + bar_gap);
  const double left = 28 + names, right = kWidth - 64;
  Svg svg(axes, bottom + 44);
  const PlotScale scale(range.low, range.high, left, right);
  for (const auto& tick : labels_that_fit(scale.ticks(6), scale)) {
    const double at = scale.pixel(tick.value);
    svg.line(at, top - 4, at, bottom, "rule");
    svg.text(at, bottom + 15, tick.label, "soft", "middle");
  }
  for (size_t i = 0; i < bars.size(); ++i) {
    const double y = top + static_cast<double>(i) * (bar_height + bar_gap);
    svg.text(left - 10, y + bar_height / 2 + 4, shortened(bars[i].name, most_name), "", "end");
    draw_bar(svg, scale, bars[i], y, i);
  }
  svg.line(scale.pixel(0), top - 4, scale.pixel(0), bottom, "axis");
  svg.text((left + right) / 2, bottom + 36, axes.x, "", "middle");
  return svg.done();
}

}  // namespace plaudit
