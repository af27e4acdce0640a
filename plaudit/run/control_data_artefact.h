// Logged control data as an artefact: what `control_data` and `collect` write and offline methods read.
#pragma once

#include <string>

#include "plaudit/data/control_data.h"
#include "plaudit/run/report.h"
#include "plaudit/run/summary.h"

namespace plaudit {

class RunContext;

// The task that the data are of, "" when they do not say.
std::string environment_of(const ControlData& data);

// Says what the data are: metrics `prefix`steps, episodes, return (with its interval), score (between
// random_return and expert_return of the metadata) and d4rl_score, as far as they are known.
void report_control_data(const std::string& prefix, const ControlData& data, RunContext& context);

}  // namespace plaudit
