// `plaudit data` of logged control data.
#pragma once

#include <string>

#include "plaudit/core/options.h"
#include "plaudit/data/control_files.h"

namespace plaudit::cli {

// An HDF5 file or the folder of a Minari data set.
bool is_control_file(const std::string& path);

// {"steps", "episodes", "observations", "actions", "next_observations", "terminal", "timeout", "cut",
// "return", "score", "d4rl_score", "infos", "metadata"}
Json control_summary(const ControlData& data);
void print_control(const std::string& path, const Json& summary);

}  // namespace plaudit::cli
