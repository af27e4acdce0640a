#include "plaudit/run/course.h"

namespace plaudit {

void Course::add(int64_t step, const std::map<std::string, double>& metrics) {
  Json point = {{"step", step}};
  for (const auto& [name, value] : metrics)
    if (name.rfind("watch/", 0) != 0) point[name] = value;
  points.push_back(std::move(point));
}

void Course::draw(Report& report, const std::string& title, const std::vector<std::string>& names) const {
  std::vector<Series> lines;
  for (const auto& name : names) {
    Series line;
    line.name = name;
    for (const auto& point : points) {
      if (!point.contains(name)) continue;
      line.x.push_back(point.at("step").get<double>());
      line.y.push_back(point.at(name).get<double>());
    }
    if (line.x.size() > 1) lines.push_back(std::move(line));
  }
  if (!lines.empty()) report.line_plot({.title = title, .x = "update", .y = ""}, lines);
}

}  // namespace plaudit
