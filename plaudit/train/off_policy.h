// Off-policy training in an environment: act, store, update, one after another, with resume.
//
// Checkpoints are written at the end of an episode, so that nothing of a simulation needs to be kept: a run
// that was killed continues bit for bit from there, whatever the environment hides.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "plaudit/env/environment.h"
#include "plaudit/train/sac.h"

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

// What surrounds a run; every callback may be left empty.
struct OffPolicyContext {
  Rng rng;
  std::string folder = "";  // of checkpoints; "": none
  // After each episode: the step it ended with, its return, the learner's metrics.
  std::function<void(int64_t step, double episode_return, const SacMetrics&)> episode = {};
  std::function<void(int64_t done, int64_t total)> progress = {};
  std::function<bool()> interrupt = {};  // true: stop at the end of the episode, saved
};

struct OffPolicyResult {
  int64_t steps = 0, resumed_from = 0, episodes = 0;
  bool interrupted = false;
};

// Actions of the learner in (-1, 1) are stretched to the environment's box, whose bounds must be finite.
// While it collects data a policy decides at every step, with the last action as its previous one.
// UserErrors: an action space without bounds, an option out of range (value); a simulation that diverges,
// named by episode and step: nothing of it enters the buffer (nan); a checkpoint of another run (value,
// shape).
OffPolicyResult train_off_policy(Environment& environment, SacLearner& learner,
                                 const OffPolicyOptions& options, OffPolicyContext& context);

}  // namespace plaudit
