// Records as artefacts: what `read` and `label` write and `train` and `evaluate` read.
#pragma once

#include <utility>
#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/data/records.h"

namespace plaudit {

using PreferencePairs = std::vector<PreferencePair>;
using RankedLists = std::vector<RankedList>;
using UnpairedFeedbacks = std::vector<UnpairedFeedback>;
using Demonstrations = std::vector<Demonstration>;

// Splits records by chance into those to learn from and a share, in [0, 1), that is held out; each keeps its
// order. At least one of each when 0 < share and there are two records.
template <class Record>
std::pair<std::vector<Record>, std::vector<Record>> hold_out(std::vector<Record> records, double share,
                                                             Rng rng) {
  const auto n = static_cast<int64_t>(records.size());
  auto held = static_cast<int64_t>(static_cast<double>(n) * share);
  if (share > 0 && held == 0 && n > 1) held = 1;
  std::vector<bool> is_held(records.size(), false);
  const auto order = rng.permutation(n);
  for (int64_t i = 0; i < held; ++i) is_held[static_cast<size_t>(order[static_cast<size_t>(i)])] = true;
  std::pair<std::vector<Record>, std::vector<Record>> out;
  for (size_t i = 0; i < records.size(); ++i)
    (is_held[i] ? out.second : out.first).push_back(std::move(records[i]));
  return out;
}

}  // namespace plaudit
