// The course of a training: its metrics by update, kept in checkpoints, drawn into the report at the end.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/run/report.h"

namespace plaudit {

struct Course {
  Json points = Json::array();  // {"step", metric: value}

  // All metrics but those of a watch, which draws its own.
  void add(int64_t step, const std::map<std::string, double>& metrics);
  // One plot of these metrics; none of those that were measured less than twice.
  void draw(Report& report, const std::string& title, const std::vector<std::string>& names) const;
};

}  // namespace plaudit
