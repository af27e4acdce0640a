// A report: one HTML page that opens without a network, light and dark, with tables and plots as inline SVG;
// films alone are files beside it.
//
//   Report r("DPO with a lexicon judge");
//   r.paragraph("The judge's mean rose.");
//   r.line_plot({.title = "Judge score", .x = "update", .y = "mean score"}, {{"policy", steps, scores, low,
//   high}}); r.table({"prompt", "before", "after"}, rows); write_file_atomic("report.html", r.html());
//
// All text is escaped. A report is kept as JSON, so that a resumed run still shows what earlier stages said.
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/run/plot.h"

namespace plaudit {

// One example before and after training, with what is said of each ("judge 0.31, reward -0.2").
struct Sample {
  std::string prompt;
  std::string before, before_note;
  std::string after, after_note;
};

class Report {
 public:
  explicit Report(std::string title = "");

  void heading(const std::string& text);
  void paragraph(const std::string& text);
  // Cells that are numbers are set flush right. UserError (shape) when a row has another length than the
  // header.
  void table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);
  void line_plot(const PlotAxes& axes, const std::vector<Series>& series);
  void bar_plot(const PlotAxes& axes, const std::vector<Bar>& bars);
  void samples(const std::vector<Sample>& samples);
  // A picture or film in a file; `file` is relative to the report's folder, `text` says what it shows.
  void picture(const std::string& file, const std::string& text);
  // Everything that `other` holds, in its order.
  void append(const Report& other);

  bool empty() const;
  std::string html() const;

  Json json() const;
  static Report from_json(const Json& json);

 private:
  std::string title_;
  Json blocks_ = Json::array();
};

}  // namespace plaudit
