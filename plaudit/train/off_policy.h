// Off-policy training in an environment: act, store, update, one after another (control_loop.h).
#pragma once

#include "plaudit/env/environment.h"
#include "plaudit/train/control_loop.h"

namespace plaudit {

struct OffPolicyOptions {
  int64_t steps = 1'000'000;      // of the environment
  int64_t random_steps = 10'000;  // at the start: uniform actions, no update
  int64_t batch = 256;
  int64_t buffer = 1'000'000;
  int64_t save_every = 20'000;  // steps, at the next end of an episode
};
template <>
void describe(OptionTable<OffPolicyOptions>& table);

// Actions of the learner in (-1, 1) are stretched to the environment's box, whose bounds must be finite.
// While it collects data a policy decides at every step, with the last action as its previous one. It rests
// at the end of an episode; metrics: return, episodes. UserErrors: an action space without bounds, an option
// out of range (value); a simulation that diverges, named by episode and step: nothing of it enters the
// buffer (nan); a checkpoint of another run (value, shape).
ControlResult train_off_policy(Environment& environment, ControlLearner& learner,
                               const OffPolicyOptions& options, ControlContext& context);

}  // namespace plaudit
