// What a run found: the numbers of summary.json.
//
//   {"recipe", "metrics": {name: {"value", "low", "high", "n"}}, "seconds", "peak_mib", "rejected": {what:
//   count}}
//
// low, high and n are null where a number has no interval.
#pragma once

#include <cstdint>
#include <string>

#include "plaudit/core/options.h"

namespace plaudit {

class Summary {
 public:
  // A metric that is set again keeps its last value.
  void metric(const std::string& name, double value);
  // With its 95 % interval and the number of examples behind it.
  void metric(const std::string& name, double value, double low, double high, int64_t n);
  // Adds to the records that were refused, e.g. rejected("prompts too long", 3).
  void rejected(const std::string& what, int64_t count);

  // {"metrics": {...}, "rejected": {...}}
  const Json& json() const { return json_; }

 private:
  Json json_ = {{"metrics", Json::object()}, {"rejected", Json::object()}};
};

}  // namespace plaudit
