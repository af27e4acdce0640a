#include "plaudit/run/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "plaudit/core/rng.h"
#include "plaudit/run/plot_text.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t count(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++n;
  return n;
}

// Where a text stands: its words at 12 px around its base line.
struct Box {
  std::string words;
  double left, right, top, bottom;
};

std::vector<Box> text_boxes(const std::string& svg) {
  static const std::regex pattern(
      R"re(<text class="([a-z]*)" x="([-0-9.]+)" y="([-0-9.]+)" text-anchor="([a-z]+)">([^<]*)</text>)re");
  std::vector<Box> out;
  for (std::sregex_iterator it(svg.begin(), svg.end(), pattern), end; it != end; ++it) {
    const auto& m = *it;
    const double x = std::stod(m[2]), y = std::stod(m[3]);
    const double wide = text_width(m[5]) * (m[1] == "title" ? 1.25 : 1);
    const double left = m[4] == "start" ? x : m[4] == "end" ? x - wide : x - wide / 2;
    out.push_back({m[5], left, left + wide, y - 10, y + 3});
  }
  return out;
}

// Every text lies within the picture, and none on another.
void expect_readable(const std::string& svg) {
  static const std::regex size(R"re(viewBox="0 0 ([0-9.]+) ([0-9.]+)")re");
  std::smatch m;
  ASSERT_TRUE(std::regex_search(svg, m, size));
  const auto boxes = text_boxes(svg);
  for (size_t i = 0; i < boxes.size(); ++i) {
    const auto& a = boxes[i];
    EXPECT_GE(a.left, 0) << a.words;
    EXPECT_LE(a.right, std::stod(m[1]) + 1) << a.words;
    EXPECT_GE(a.top, 0) << a.words;
    EXPECT_LE(a.bottom, std::stod(m[2]) + 1) << a.words;
    for (size_t j = 0; j < i; ++j) {
      const auto& b = boxes[j];
      const bool apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
      EXPECT_TRUE(apart) << "'" << a.words << "' lies on '" << b.words << "'";
    }
  }
}

const PlotAxes axes = {.title = "Judge score", .x = "update", .y = "mean score"};

TEST(LinePlot, NamesTitleAxesAndLines) {
  const auto svg =
      line_plot_svg(axes, {{"policy", {0, 1, 2}, {0.1, 0.2, 0.4}}, {"reference", {0, 2}, {0.1, 0.1}}});
  for (const char* words : {">Judge score<", ">update<", ">mean score<", ">policy<", ">reference<", ">0.2<"})
    EXPECT_THAT(svg, HasSubstr(words));
  EXPECT_EQ(count(svg, "<circle"), 5u);
  EXPECT_EQ(count(svg, "<svg"), 1u);
  EXPECT_EQ(svg.substr(svg.size() - 6), "</svg>");
  expect_readable(svg);
}

TEST(LinePlot, IsTheSameEachTime) {
  const std::vector<Series> series = {{"a", {0, 1, 2}, {0.1, 1e-9, 3e4}, {0, 0, 1}, {1, 1, 4e4}}};
  EXPECT_EQ(line_plot_svg(axes, series), line_plot_svg(axes, series));
}

TEST(LinePlot, FollowsLightAndDark) {
  const auto svg = line_plot_svg(axes, {{"a", {0, 1}, {0, 1}}});
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  // All colours come from the two palettes.
  EXPECT_EQ(std::regex_search(svg.substr(svg.find("</style>")), std::regex("(fill|stroke)=\"#")), false);
}

TEST(LinePlot, ValuesThatAreNotFiniteLeaveAGap) {
  const auto svg = line_plot_svg(axes, {{"", {0, 1, 2, 3, 4}, {1, 2, NAN, 4, INFINITY}}});
  EXPECT_EQ(count(svg, "class=\"line\""), 2u);
  EXPECT_EQ(count(svg, "<circle"), 3u);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(LinePlot, WithoutValuesItSaysSo) {
  for (const auto& series : {Series{"a", {}, {}}, Series{"a", {1}, {NAN}}}) {
    const auto svg = line_plot_svg(axes, {series});
    EXPECT_THAT(svg, HasSubstr("no values"));
    expect_readable(svg);
  }
}

TEST(LinePlot, LogarithmicAxisSpacesPowersEvenly) {
  const auto svg =
      line_plot_svg({.title = "t", .x = "n", .y = "y", .log_x = true}, {{"", {1, 2, 4, 8}, {0, 1, 2, 3}}});
  std::vector<double> x;
  for (const auto& box : text_boxes(svg))
    if (box.words == "1" || box.words == "2" || box.words == "4" || box.words == "8")
      if (box.top > 300) x.push_back((box.left + box.right) / 2);
  ASSERT_EQ(x.size(), 4u);
  EXPECT_NEAR(x[1] - x[0], x[3] - x[2], 0.2);
}

TEST(LinePlot, BandsNeedBothSides) {
  const auto svg = line_plot_svg(axes, {{"a", {0, 1}, {1, 2}, {0, 1}, {2, 3}}});
  EXPECT_EQ(count(svg, "class=\"band\""), 1u);
  testing::expect_error(ErrorKind::shape, "plot Judge score, line a", [] {
    line_plot_svg(axes, {{"a", {0, 1}, {1, 2}, {0, 1}}});
  });
  testing::expect_error(ErrorKind::shape, "line a", [] { line_plot_svg(axes, {{"a", {0, 1}, {1}}}); });
  testing::expect_error(ErrorKind::value, "line a", [] {
    line_plot_svg({.title = "t", .x = "x", .y = "y", .log_x = true}, {{"a", {0, 1}, {1, 2}}});
  });
}

TEST(LinePlot, TextIsEscaped) {
  const auto svg = line_plot_svg({.title = "<b>", .x = "a & b", .y = "\"y\""}, {{"<i>", {0, 1}, {0, 1}}});
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(svg, HasSubstr("a &amp; b"));
  EXPECT_THAT(svg, HasSubstr("&lt;i&gt;"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
}

TEST(LinePlot, LabelsStayApartAtEveryScale) {
  Rng rng(0, "plots");
  for (int draw = 0; draw < 300; ++draw) {
    const double x_scale = std::pow(10, 16 * rng.uniform() - 8),
                 y_scale = std::pow(10, 16 * rng.uniform() - 8);
    const bool log_x = draw % 3 == 0;
    std::vector<Series> series;
    for (int64_t s = rng.below(7); s >= 0; --s) {
      Series line{std::string(static_cast<size_t>(1 + rng.below(60)), 'n'), {}, {}};
      for (int64_t i = 1 + rng.below(50); i > 0; --i) {
        line.x.push_back(x_scale * (rng.uniform() + 0.001));
        line.y.push_back(y_scale * rng.normal());
      }
      series.push_back(std::move(line));
    }
    expect_readable(line_plot_svg(
        {.title = std::string(static_cast<size_t>(rng.below(120)), 't'), .x = "x", .y = "y", .log_x = log_x},
        series));
    if (HasFailure()) FAIL() << "draw " << draw;
  }
}

TEST(BarPlot, BarsStartAtZeroAndShowTheirValue) {
  const auto svg = bar_plot_svg({.title = "KL", .x = "nats", .y = ""},
                                {{"sft", 0.25, 0.25, 0.25}, {"dpo", 2.5, 2, 3}, {"worse", -1, -1.5, -0.5}});
  for (const char* words : {">0.25<", ">2.5<", ">-1<", ">dpo<", ">nats<"}) EXPECT_THAT(svg, HasSubstr(words));
  EXPECT_EQ(count(svg, "<rect"), 4u);  // the paper and three bars
  expect_readable(svg);
  EXPECT_EQ(svg, bar_plot_svg({.title = "KL", .x = "nats", .y = ""},
                              {{"sft", 0.25, 0.25, 0.25}, {"dpo", 2.5, 2, 3}, {"worse", -1, -1.5, -0.5}}));
}

TEST(BarPlot, LongNamesAndLargeNumbersFit) {
  expect_readable(
      bar_plot_svg(axes, {{std::string(200, 'w'), 1.234e9, 1e9, 2e9}, {"日本語の名前", -3e8, 0, 0}}));
  expect_readable(bar_plot_svg(axes, {{"a", 0, 0, 0}}));
  expect_readable(bar_plot_svg(axes, {}));
}

TEST(BarPlot, ValuesMustBeFinite) {
  testing::expect_error(ErrorKind::nan, "bar b", [] { bar_plot_svg(axes, {{"b", NAN}}); });
}

TEST(PlotText, IsCutAtLettersNotBytes) {
  EXPECT_EQ(shortened("short", 100), "short");
  EXPECT_EQ(shortened("abcdef", 27), "abc…");
  EXPECT_EQ(shortened("ééééé", 27), "ééé…");
  EXPECT_LE(text_width(shortened(std::string(500, 'm'), 220)), 220);
}

}  // namespace
}  // namespace plaudit
