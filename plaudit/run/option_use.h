// Refuses options that were set and that the chosen method does not use: an option that is accepted is
// honoured.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "plaudit/core/options.h"

namespace plaudit {

// Every key of `options` that differs from its default must be in `used`. UserError (value) naming key,
// method and what the method has. `method`: "objective reward".
template <class Options>
void refuse_unused(const Options& options, const std::string& method, const std::vector<std::string>& used) {
  const Json set = option_table<Options>().write(options), defaults = option_table<Options>().write({});
  for (const auto& [key, value] : set.items()) {
    if (value == defaults.at(key) || std::find(used.begin(), used.end(), key) != used.end()) continue;
    std::string has;
    for (const auto& name : used) has += (has.empty() ? "" : ", ") + name;
    fail(ErrorKind::value, key, "is not an option of " + method + ", which has: " + has);
  }
}

// The keys of an aggregate whose fields are included in another.
template <class Part>
std::vector<std::string> keys_of() {
  std::vector<std::string> out;
  for (const auto& field : option_table<Part>().fields()) out.push_back(field.key);
  return out;
}

// All of `lists`, one after another.
inline std::vector<std::string> joined(const std::vector<std::vector<std::string>>& lists) {
  std::vector<std::string> out;
  for (const auto& list : lists) out.insert(out.end(), list.begin(), list.end());
  return out;
}

}  // namespace plaudit
