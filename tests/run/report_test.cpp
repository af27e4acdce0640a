#include "plaudit/run/report.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plaudit::run {
namespace {

TEST(Report, TextIsEscapedEverywhere) {
  Report report;
  const std::string nasty = "<script>\"'&";
  report.heading(nasty);
  report.paragraph(nasty);
  report.table({nasty}, {{nasty}});
  report.samples(nasty, nasty, {{nasty, nasty, nasty}});
  report.plot(nasty, nasty, nasty, {{nasty, {1, 2}, {3, 4}, {}, {}}});
  const auto html = report.html(nasty);
  EXPECT_EQ(html.find("<script>"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;&quot;&#39;&amp;"), std::string::npos);
}

TEST(Report, NothingIsLoadedFromANetwork) {
  Report report;
  report.plot("t", "x", "y", {{"s", {1, 2, 4}, {0, 1, 0.5}, {0, 0.8, 0.3}, {0.1, 1.2, 0.7}}}, true);
  const auto html = report.html("r");
  EXPECT_EQ(html.find("src="), std::string::npos);
  EXPECT_EQ(html.find("href="), std::string::npos);
}

TEST(Report, PlotsSurviveEmptyFlatAndMissingValues) {
  Report report;
  report.plot("empty", "x", "y", {{"none", {}, {}, {}, {}}});
  report.plot("flat", "x", "y", {{"one", {3}, {3}, {}, {}}});
  report.plot("holes", "x", "y", {{"nan", {1, 2, 3}, {1, std::nan(""), HUGE_VAL}, {}, {}}});
  const auto html = report.html("r");
  EXPECT_EQ(html.find("nan,"), std::string::npos);
  EXPECT_EQ(html.find("inf"), std::string::npos);
}

TEST(Report, SectionsSurviveASaveAndRestore) {
  Report a, b;
  a.heading("h");
  a.plot("p", "x", "y", {{"s", {1}, {2}, {}, {}}});
  b.restore(Json::parse(a.sections().dump()));
  EXPECT_EQ(a.html("t"), b.html("t"));
}

}  // namespace
}  // namespace plaudit::run
