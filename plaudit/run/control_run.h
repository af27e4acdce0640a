// What the stages that train a policy of control ask of the run around them.
#pragma once

#include <string>

#include "plaudit/run/context.h"
#include "plaudit/train/control_loop.h"

namespace plaudit {

// The stream `rng`, checkpoints in the stage's folder (a claim's run has none), progress in `units`, and a
// stop at the next rest after Ctrl-C. `context` must outlive it.
ControlContext control_context(const std::string& rng, const std::string& units, RunContext& context);

// Ends the stage where Ctrl-C came before the last of `steps`.
void throw_if_unfinished(const ControlResult& result, int64_t steps, RunContext& context);

}  // namespace plaudit
