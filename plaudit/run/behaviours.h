// Whose behaviour a generated data set logs: a random, a medium and an expert policy of one task, and what a
// learner met on its way to the medium one.
//
// From a run of soft actor-critic: the expert is the final policy, drawing its actions; the medium one is the
// first snapshot whose evaluation reached a share of the way from random to expert; the replay is all that
// was done up to there. From one given actor: the medium one is that actor with noise, of the skill whose
// return is nearest to that share of the way; the replay has episodes of all skills up to there.
#pragma once

#include <string>

#include "plaudit/env/collect.h"
#include "plaudit/run/context.h"
#include "plaudit/train/off_policy.h"
#include "plaudit/train/sac.h"

namespace plaudit {

struct SnapshotTraining {
  OffPolicyOptions run = {.steps = 200'000};
  SacOptions learner;
  int64_t evaluate_every = 5'000, evaluate_episodes = 10;
};
template <>
void describe(OptionTable<SnapshotTraining>& table);

struct BehaviourOptions {
  std::string environment = "HalfCheetah-v5";
  std::string actor;  // "": train one
  double medium_share = 1.0 / 3;
  int64_t reference_episodes = 50;
  SnapshotTraining training = {};
};
template <>
void describe(OptionTable<BehaviourOptions>& table);

struct Behaviours {
  Behaviour expert, medium, replay;
  ControlData replay_log = {};  // in place of `replay` where it is known
  double random_return = 0, expert_return = 0;
  std::string how;  // for the report: where they come from
};

// UserErrors: those of collect, of the files of actors, of training; shape for an actor of another task;
// value where no snapshot reaches the share. `medium`: whether that one is wanted, which takes a search.
Behaviours make_behaviours(const BehaviourOptions& options, bool medium, RunContext& context);

// The seeds of the episodes of one purpose: no two purposes share an episode.
uint64_t episode_seed(RunContext& context, const std::string& purpose);

}  // namespace plaudit
