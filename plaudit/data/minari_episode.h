// One episode of a Minari data set, and how its three containers hold it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

struct MinariEpisode {
  Tensor observations;                       // [T+1,S]
  Tensor actions;                            // [T,A]
  Tensor rewards;                            // [T]
  Tensor terminations, truncations;          // [T]
  std::map<std::string, Tensor> infos = {};  // [T,...] or [T+1,...]
};

// Of <data>/main_data.hdf5, in the order of their numbers.
std::vector<MinariEpisode> read_minari_hdf5(const std::string& data);
void write_minari_hdf5(const std::string& data, const std::vector<MinariEpisode>& episodes);

// Of <data>/<i>/part-0.arrow or .parquet, i = 0 .. count - 1: T+1 rows, of which the last one has an
// observation alone.
std::vector<MinariEpisode> read_minari_tables(const std::string& data, const std::string& format,
                                              int64_t count);
void write_minari_tables(const std::string& data, const std::string& format,
                         const std::vector<MinariEpisode>& episodes);

// Parts of an observation side by side, [T,S]; each [T] or [T,s].
Tensor side_by_side(const std::vector<Tensor>& parts);

}  // namespace plaudit
