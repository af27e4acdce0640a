// What the stages that train a policy of control ask of the run around them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plaudit/run/context.h"
#include "plaudit/train/control_loop.h"

namespace plaudit {

// The stream `rng`, checkpoints in the stage's folder (a claim's run has none), progress in `units`, and a
// stop at the next rest after Ctrl-C. `context` must outlive it.
ControlContext control_context(const std::string& rng, const std::string& units, RunContext& context);

// Ends the stage where Ctrl-C came before the last of `steps`.
void throw_if_unfinished(const ControlResult& result, int64_t steps, RunContext& context);

// All metrics over a run of control, kept in its checkpoints.
class ControlCurves {
 public:
  // From now on `around` logs its metrics into `context` and keeps them here; both must outlive the run.
  void follow(ControlContext& around, RunContext& context);
  // Those of `names` that there are, over `x`: "" for steps of the loop, or a metric.
  void plot(Report& report, const std::string& title, const std::string& units,
            const std::vector<std::string>& names, const std::string& x = "") const;

 private:
  std::map<std::string, Series> curves_;
};

}  // namespace plaudit
