// Logged control data: one column store of transitions with their episodes, and the views of it that methods
// learn from.
//
// N rows, S observation and A action dimensions, E episodes; a row is one step, in the order it was taken. An
// episode ends with a row that is terminal (the decision process ended) or timed out (its log was cut: the
// process went on); the last one may end with neither, as a replay buffer does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plaudit/core/files.h"
#include "plaudit/data/transitions.h"

namespace plaudit {

struct ControlData {
  Tensor observations;  // [N,S] f32
  Tensor actions;       // [N,A] f32
  Tensor rewards;       // [N] f32
  // [N,S] f32, what each step led to; undefined where the source has none (D4RL). Known also at the ends of
  // episodes, where the next row is the start of another one.
  Tensor next_observations = {};
  Tensor terminals;                          // [N] bool
  Tensor timeouts;                           // [N] bool
  Tensor episode_starts = {};                // [E] i64, ascending; derived by checked_control_data
  std::map<std::string, Tensor> infos = {};  // [N,...] each: "qpos", "action_log_probs", ...
  // What the source says of itself; ours: environment, random_return, expert_return.
  std::string metadata = "{}";  // a JSON object

  int64_t size() const { return rewards.defined() ? rewards.size(0) : 0; }
};

// The data with types as above and episode_starts derived. UserErrors that start with `source`, a file or the
// name of whoever made the data: empty; shape, with both shapes; nan, with column, row and value; value for
// a flag that is neither 0 nor 1, and for data in which no episode ends.
ControlData checked_control_data(ControlData data, const std::string& source);

// UserError (shape), with all four widths, unless the data has these widths.
void check_widths(const ControlData& data, const std::string& source, const std::string& environment,
                  int64_t observations, int64_t actions);

// 0 and every row that follows an end, [E] i64; flags [N].
Tensor episode_starts(const Tensor& terminals, const Tensor& timeouts);

enum class EpisodeEnd { terminal, timeout, cut };  // cut: the data stops before the episode does

struct EpisodeRange {
  int64_t start = 0, steps = 0;
  EpisodeEnd end = EpisodeEnd::cut;
};
std::vector<EpisodeRange> episode_ranges(const ControlData& data);

// Undiscounted returns, f64, of the episodes that ended. Empty (kind empty) when none did.
Tensor episode_returns(const ControlData& data);

// Transitions to learn a critic from. Where next observations are known every row is one, and a time-out is
// no terminal. Otherwise D4RL's rule (transitions.h): row i takes its next observation from row i+1, and rows
// that a time limit ends are left out, for theirs is unknown; UserError (empty) when none is left.
// `terminate_on_end` keeps them all the same.
TransitionTensors transitions_of(const ControlData& data, bool terminate_on_end = false);

// One data set after the other; both have next observations, or the result has none. Infos that only one of
// them has are dropped. The metadata is the first's.
ControlData joined(const ControlData& first, const ControlData& second);

// Rows [start, start + rows) alone, with the episodes that they hold.
ControlData rows_of(const ControlData& data, int64_t start, int64_t rows);

}  // namespace plaudit
