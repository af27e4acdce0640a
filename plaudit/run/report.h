// The report of a run: one HTML file that opens without a network, with tables, plots and samples.
//
// A report is a list of sections, kept as JSON so that a resumed run still holds those of its finished
// stages.
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/call.h"

namespace plaudit::run {

struct Series {
  std::string name;
  std::vector<double> x, y;
  std::vector<double> low, high;  // an interval around y; empty for none
};

class Report {
 public:
  void heading(const std::string& text);
  void paragraph(const std::string& text);
  void table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows);
  // A line with points per series; `log_x` for axes such as n = 1, 2, 4, 8.
  void plot(const std::string& title, const std::string& x_label, const std::string& y_label,
            const std::vector<Series>& series, bool log_x = false);
  // Two texts side by side for each prompt.
  void samples(const std::string& left, const std::string& right,
               const std::vector<std::vector<std::string>>& prompt_left_right);

  const Json& sections() const { return sections_; }
  void restore(const Json& sections) { sections_ = sections; }
  // The whole page.
  std::string html(const std::string& title) const;

 private:
  Json sections_ = Json::array();
};

// One plot section as an SVG image of its own.
std::string plot_svg(const Json& plot);

// Text with &, <, > and quotes escaped.
std::string escape_html(const std::string& text);

}  // namespace plaudit::run
