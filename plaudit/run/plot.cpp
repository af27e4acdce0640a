#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/run/report.h"

namespace plaudit::run {
namespace {

constexpr double width = 560, height = 320, left = 64, right = 16, top = 36, bottom = 52;
// Colours that stay apart for colour-blind readers, in light and dark (Okabe and Ito).
const std::vector<std::string> colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

// One axis: data to pixels, with round tick values.
struct Axis {
  double low = 0, high = 1, begin = 0, end = 1;
  bool log = false;
  std::vector<double> ticks;

  double at(double value) const {
    const double v = log ? std::log2(value) : value;
    return begin + (v - low) / (high - low) * (end - begin);
  }
};

// 1, 2 or 5 times a power of ten, so that about five ticks fit.
double round_step(double range) {
  const double raw = range / 5, power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power) return factor * power;
  }
  return 10 * power;
}

Axis make_axis(std::vector<double> values, double begin, double end, bool log) {
  std::erase_if(values, [log](double v) { return !std::isfinite(v) || (log && v <= 0); });
  if (values.empty()) values = {log ? 1.0 : 0.0, log ? 2.0 : 1.0};
  Axis axis{0, 1, begin, end, log, {}};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  axis.low = log ? std::log2(*least) : *least;
  axis.high = log ? std::log2(*most) : *most;
  if (axis.high - axis.low < 1e-12) {
    axis.low -= 0.5;
    axis.high += 0.5;
  }
  if (log) {
    const int step = std::max(1, static_cast<int>(std::ceil((axis.high - axis.low) / 8)));
    for (int p = static_cast<int>(std::ceil(axis.low)); p <= axis.high + 1e-9; p += step)
      axis.ticks.push_back(std::exp2(p));
    return axis;
  }
  const double step = round_step(axis.high - axis.low);
  axis.low = std::floor(axis.low / step + 1e-9) * step;
  axis.high = std::ceil(axis.high / step - 1e-9) * step;
  for (double t = axis.low; t <= axis.high + step / 2; t += step)
    axis.ticks.push_back(std::abs(t) < step / 1e6 ? 0 : t);
  return axis;
}

std::string text(double x, double y, const std::string& anchor, const std::string& content,
                 const std::string& more = "") {
  return fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='{}'{}>{}</text>\n", x, y, anchor, more,
                     escape_html(content));
}

std::string axes(const Json& plot, const Axis& x, const Axis& y) {
  std::string out;
  for (const double tick : y.ticks) {
    out += fmt::format("<line class='grid' x1='{}' x2='{}' y1='{:.1f}' y2='{:.1f}'/>\n", left, width - right,
                       y.at(tick), y.at(tick));
    out += text(left - 8, y.at(tick) + 4, "end", fmt::format("{:.4g}", tick));
  }
  for (const double tick : x.ticks) {
    out += fmt::format("<line class='tick' x1='{0:.1f}' x2='{0:.1f}' y1='{1}' y2='{2}'/>\n", x.at(tick),
                       height - bottom, height - bottom + 4);
    out += text(x.at(tick), height - bottom + 18, "middle", fmt::format("{:.4g}", tick));
  }
  out += fmt::format("<line class='axis' x1='{0}' x2='{1}' y1='{2}' y2='{2}'/>\n", left, width - right,
                     height - bottom);
  out += text((left + width - right) / 2, height - 10, "middle", plot["x_label"]);
  const double middle = (top + height - bottom) / 2;
  out +=
      text(14, middle, "middle", plot["y_label"], fmt::format(" transform='rotate(-90 14 {:.1f})'", middle));
  out += text(left, 20, "start", plot["title"], " class='title'");
  return out;
}

std::string band(const Json& series, const Axis& x, const Axis& y, const std::string& colour) {
  if (series["low"].empty()) return "";
  std::string points;
  const auto count = series["x"].size();
  for (size_t i = 0; i < count; ++i)
    points += fmt::format("{:.1f},{:.1f} ", x.at(series["x"][i]), y.at(series["high"][i]));
  for (size_t i = count; i-- > 0;)
    points += fmt::format("{:.1f},{:.1f} ", x.at(series["x"][i]), y.at(series["low"][i]));
  return fmt::format("<polygon points='{}' fill='{}' fill-opacity='0.15'/>\n", points, colour);
}

std::string line(const Json& series, const Axis& x, const Axis& y, const std::string& colour) {
  std::string points, dots;
  const bool few = series["x"].size() <= 40;
  for (size_t i = 0; i < series["x"].size(); ++i) {
    const double px = x.at(series["x"][i]), py = y.at(series["y"][i]);
    points += fmt::format("{:.1f},{:.1f} ", px, py);
    if (few) dots += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='2.5' fill='{}'/>\n", px, py, colour);
  }
  return fmt::format("<polyline points='{}' fill='none' stroke='{}' stroke-width='2'/>\n{}", points, colour,
                     dots);
}

std::vector<double> collect(const Json& plot, std::initializer_list<const char*> keys) {
  std::vector<double> values;
  for (const auto& series : plot["series"]) {
    for (const char* key : keys) {
      for (const auto& v : series[key]) values.push_back(v.is_number() ? v.get<double>() : std::nan(""));
    }
  }
  return values;
}

}  // namespace

std::string plot_svg(const Json& plot) {
  const Axis x = make_axis(collect(plot, {"x"}), left, width - right, plot.value("log_x", false));
  const Axis y = make_axis(collect(plot, {"y", "low", "high"}), height - bottom, top, false);
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' role='img' font-family='system-ui, "
      "sans-serif' font-size='12'>\n"
      "<style>text{{fill:#333}}.title{{font-weight:600;font-size:14px}}.grid{{stroke:#ddd}}.axis,.tick{{"
      "stroke:#888}}"
      "@media "
      "(prefers-color-scheme:dark){{text{{fill:#ddd}}.grid{{stroke:#444}}}}</style>\n<title>{}</title>\n",
      width, height, escape_html(plot["title"]));
  out += axes(plot, x, y);
  double legend = left + 10;
  size_t index = 0;
  for (const auto& series : plot["series"]) {
    const auto& colour = colours[index++ % colours.size()];
    out += band(series, x, y, colour) + line(series, x, y, colour);
    const auto name = series["name"].get<std::string>();
    out +=
        fmt::format("<rect x='{:.1f}' y='{}' width='12' height='3' fill='{}'/>\n", legend, top + 1, colour);
    out += text(legend + 16, top + 6, "start", name);
    legend += 34 + 6.5 * static_cast<double>(name.size());
  }
  return out + "</svg>\n";
}

}  // namespace plaudit::run
