// Reference log-probabilities that runs of a sweep share without being told.
#pragma once

#include "plaudit/run/context.h"
#include "plaudit/train/loop.h"

namespace plaudit {

// What this stage may have computed already in the runs beside this one: those whose folders lie in the same
// folder, under the same number and name of the stage. While one of them computes what this run would, rank 0
// waits for it, or until Ctrl-C; else it is this run's turn, and the others wait for it as long as the turn
// lives. Nothing outside the run's folder is written: what is taken is copied, so that a run stays whole when
// the others are deleted.
SharedReferences references_beside(const std::string& key, int64_t tokens_per_batch, RunContext& context);

}  // namespace plaudit
