// Whole episodes of a policy in a control task: what its return is.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plaudit/core/checks.h"
#include "plaudit/env/environment.h"
#include "plaudit/train/control_actor.h"

namespace plaudit {

// Actions [B,A] in [-1,1] for observations [B,S] f32; they are scaled to the task's own bounds.
using ControlPolicy = std::function<Tensor(const Tensor&)>;

struct EpisodeReturns {
  std::vector<double> returns;   // one per episode, undiscounted
  std::vector<int64_t> lengths;  // steps
};

// Episode i is the first one of seed + i, so that the result depends on neither the number of environments at
// work nor on which episodes end first. UserErrors: those of make_environment; value for episodes < 1; shape,
// with both widths, for a policy that does not fit the task; a simulation that diverges (nan).
EpisodeReturns control_returns(const std::string& task, const ControlPolicy& policy, int64_t episodes,
                               uint64_t seed = 0, int64_t side_by_side = 32);

// Of an actor that decides at every step and takes the action that it means.
EpisodeReturns control_returns(const std::string& task, const ControlActor& actor, int64_t episodes,
                               uint64_t seed = 0);
// The first of them alone, watched: `watch` sees the environment before each step, the first one 0, and ends
// the episode there by returning false.
using EpisodeWatch = std::function<bool(int64_t step, const Environment& environment)>;
EpisodeReturns watched_return(const std::string& task, const ControlActor& actor, uint64_t seed,
                              const EpisodeWatch& watch);
// Their mean.
double mean_control_return(const std::string& task, const ControlActor& actor, int64_t episodes,
                           uint64_t seed = 0);

}  // namespace plaudit
