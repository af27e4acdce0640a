// Files of logged control data: D4RL (one HDF5 file), Minari (a folder with HDF5, Arrow or Parquet), read and
// written.
//
// Everything read is checked (checked_control_data), and f64 becomes f32. Errors start with the file:
// "x.hdf5: observations[12,3] is nan". UserErrors: io for a file that is missing, damaged or truncated; value
// for a column that is missing; shape; nan; empty.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plaudit/data/control_data.h"

namespace plaudit {

struct ControlReadOptions {
  // The time limit of the task: an episode ends after so many rows since the last end. D4RL's v0 files have
  // no time-outs and need it; with others it adds to what the file says.
  std::optional<int64_t> max_episode_steps = {};
  // Take the next observations of a D4RL file that has them (v2 and ours), instead of the rows that follow.
  bool next_observations = false;
};

// "minari" or "d4rl": a folder or main_data.hdf5 with a metadata.json beside it is Minari's. UserError (io)
// where there is nothing.
std::string control_format(const std::string& path);

// Either, by control_format.
ControlData read_control_data(const std::string& path, const ControlReadOptions& options = {});

// Fu et al., 2020, arXiv 2004.07219: `observations`, `actions`, `rewards`, `terminals`, perhaps `timeouts`,
// `infos/*`, `metadata/*`. Numbers and texts of `metadata` become ControlData::metadata.
ControlData read_d4rl(const std::string& path, const ControlReadOptions& options = {});
void write_d4rl(const std::string& path, const ControlData& data);

// `path`: the folder of a data set, its `data` folder or its main_data.hdf5; data_format hdf5, arrow or
// parquet. Row t of an episode has observations t and t+1; named parts of observations (Dict spaces, in the
// order of their names, and tuples) stand side by side; spaces of more dimensions than one are refused
// (shape). An episode that ends without a flag ends by a time-out. The infos of the last observation are left
// out. ref_min_score and ref_max_score become random_return and expert_return, the id in env_spec
// environment.
ControlData read_minari(const std::string& path, const ControlReadOptions& options = {});

struct MinariDescription {
  std::string dataset_id;                                 // "plaudit/halfcheetah/medium-v0"
  std::string format = "hdf5";                            // arrow, parquet
  std::string environment;                                // "HalfCheetah-v5"; "": none
  int64_t max_steps = 0;                                  // of an episode; 0: none
  std::vector<double> action_low = {}, action_high = {};  // [A]; empty: those of the data
  bool f32_observations = false;                          // the type of the environment's own, else f64
};
// Writes <folder>/data: with MINARI_DATASETS_PATH at the root of dataset_id, Minari loads it by that name.
// Minari has infos of the last observation, too, which no step begins with: they are NaN, those that are
// whole numbers or flags repeat the ones before. UserErrors: value for data without next observations, for an
// episode whose next observations are not the observations that follow, for an id that Minari refuses; io
// where <folder>/data exists.
void write_minari(const std::string& folder, const ControlData& data, const MinariDescription& description);

}  // namespace plaudit
