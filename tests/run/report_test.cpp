#include "plaudit/run/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Report full_report() {
  Report report("A <title>");
  report.heading("Heads & tails");
  report.paragraph("1 < 2");
  report.table({"name", "value", "interval"}, {{"kl", "2.5", "[2.1, 2.9]"}, {"<x>", "12 %", "none"}});
  report.line_plot({.title = "Curve", .x = "x", .y = "y"}, {{"a", {0, 1}, {0, 1}}});
  report.bar_plot({.title = "Bars", .x = "x", .y = ""}, {{"a", 1}});
  report.samples({{"Why?\n2", "No.", "judge 0.1", "Yes <3", "judge 0.9"}});
  return report;
}

TEST(Report, EscapesAllText) {
  const auto html = full_report().html();
  for (const char* words : {"<title>A &lt;title&gt;</title>", "<h1>A &lt;title&gt;</h1>", "Heads &amp; tails",
                            "1 &lt; 2", "<td>&lt;x&gt;</td>", "Yes &lt;3", "Why?\n2"})
    EXPECT_THAT(html, HasSubstr(words));
}

TEST(Report, NumbersAreFlushRight) {
  const auto html = full_report().html();
  for (const char* cell : {"2.5", "[2.1, 2.9]", "12 %"})
    EXPECT_THAT(html, HasSubstr(std::string("<td class=\"number\">") + cell + "</td>"));
  EXPECT_THAT(html, HasSubstr("<td>kl</td>"));
  EXPECT_THAT(html, HasSubstr("<td>none</td>"));
}

TEST(Report, IsOnePageThatNeedsNothingElse) {
  const auto html = full_report().html();
  EXPECT_EQ(html.rfind("<!doctype html>", 0), 0u);
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(html, HasSubstr("charset=\"utf-8\""));
  for (const char* outside : {"src=", "href=", "url(", "@import", "<script", "<link"})
    EXPECT_THAT(html, Not(HasSubstr(outside)));
}

TEST(Report, AFilmIsAFileBesideIt) {
  Report report;
  report.picture("a\"b.webp", "10 < 20 s");
  const auto html = report.html();
  EXPECT_THAT(html, HasSubstr("<img src=\"a&quot;b.webp\" alt=\"10 &lt; 20 s\">"));
  EXPECT_EQ(Report::from_json(Json::parse(report.json().dump())).html(), html);
}

TEST(Report, SurvivesAsJson) {
  const auto report = full_report();
  const auto again = Report::from_json(Json::parse(report.json().dump()));
  EXPECT_EQ(again.html(), report.html());
  EXPECT_FALSE(again.empty());
  EXPECT_TRUE(Report("t").empty());
}

TEST(Report, AppendKeepsOrderAndOwnTitle) {
  Report all("All");
  all.paragraph("first");
  all.append(full_report());
  const auto html = all.html();
  EXPECT_LT(html.find("first"), html.find("Heads"));
  EXPECT_THAT(html, HasSubstr("<h1>All</h1>"));
}

TEST(Report, RowsHaveTheLengthOfTheHeader) {
  testing::expect_error(ErrorKind::shape, "report.table", [] {
    Report("t").table({"a", "b"}, {{"1", "2"}, {"3"}});
  });
}

}  // namespace
}  // namespace plaudit
