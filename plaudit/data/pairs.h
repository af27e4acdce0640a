// From scores of several answers to pairs of a better and a worse one.
#pragma once

#include <string>
#include <vector>

#include "plaudit/data/records.h"

namespace plaudit {

// The ways to choose pairs, for options: "best-worst", "adjacent", "all".
const std::vector<std::string>& pair_modes();

struct PairIndices {
  size_t better = 0, worse = 0;
  bool operator==(const PairIndices&) const = default;
};

struct PairChoice {
  std::vector<PairIndices> pairs;
  int64_t ties = 0;  // pairs that the mode asked for and that have equal scores; they are left out
};

// Pairs of indices into `scores` (higher is better, finite):
//   best-worst  one pair, the highest against the lowest score (ties: the lower index)
//   adjacent    neighbours in the order of scores, K-1 pairs
//   all         every two, K(K-1)/2 pairs, by index of the first, then of the second
// UserErrors: fewer than two scores (shape), a NaN or infinite score (nan), an unknown mode (value).
PairChoice choose_pairs(const std::vector<double>& scores, const std::string& mode);

// The pair of two completions of a list. Extra fields of the list are copied; where it has scores,
// `chosen_score` and `rejected_score` join them.
PreferencePair make_pair_of(const RankedList& list, PairIndices indices);

}  // namespace plaudit
