// On-policy training in simulated tasks: whole episodes by the policy of the moment, an update on them, then
// none of them again (control_loop.h).
#pragma once

#include "plaudit/train/control_loop.h"

namespace plaudit {

struct OnPolicyOptions {
  int64_t iterations = 200;
  int64_t steps = 4'000;     // of an iteration, at least: its last episode is kept whole
  int64_t environments = 8;  // side by side
  int64_t save_every = 20;   // iterations
};
template <>
void describe(OptionTable<OnPolicyOptions>& table);

// An iteration is a step of the loop. The learner's actor must be gaussian: its actions are cut to [-1, 1]
// and stretched to the task's box for the simulation (collect, env/collect.h); the learner gets them as
// drawn. A time limit ends an episode without being terminal. No episode crosses iterations, so that a resume
// needs nothing of a simulation. Metrics: return (mean of the episodes), episodes, length, environment_steps.
// UserErrors: those of collect; a simulation that diverges (nan); a checkpoint of another run (value, shape).
ControlResult train_on_policy(const std::string& environment, ControlLearner& learner,
                              const OnPolicyOptions& options, ControlContext& context);

}  // namespace plaudit
