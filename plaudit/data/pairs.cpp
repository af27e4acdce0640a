#include "plaudit/data/pairs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plaudit/core/checks.h"

namespace plaudit {
namespace {

void take(PairChoice& choice, const std::vector<double>& scores, size_t a, size_t b) {
  if (scores[a] == scores[b]) {
    ++choice.ties;
  } else {
    choice.pairs.push_back(scores[a] > scores[b] ? PairIndices{a, b} : PairIndices{b, a});
  }
}

void check_scores(const Check& check, const std::vector<double>& scores) {
  if (scores.size() < 2)
    check.refuse(ErrorKind::shape, "scores", fmt::format("needs two or more, got {}", scores.size()));
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!std::isfinite(scores[i]))
      check.refuse(ErrorKind::nan, fmt::format("scores[{}]", i),
                   fmt::format("must be finite, got {}", scores[i]));
  }
}

}  // namespace

const std::vector<std::string>& pair_modes() {
  static const std::vector<std::string> modes{"best-worst", "adjacent", "all"};
  return modes;
}

PairChoice choose_pairs(const std::vector<double>& scores, const std::string& mode) {
  const Check check("choose_pairs");
  check_scores(check, scores);
  check.choice("mode", mode, pair_modes());
  PairChoice choice;
  if (mode == "best-worst") {
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    const auto worst = std::min_element(scores.begin(), scores.end()) - scores.begin();
    take(choice, scores, static_cast<size_t>(best), static_cast<size_t>(worst));
  } else if (mode == "adjacent") {
    std::vector<size_t> order(scores.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    for (size_t i = 0; i + 1 < order.size(); ++i) take(choice, scores, order[i], order[i + 1]);
  } else {
    for (size_t a = 0; a < scores.size(); ++a) {
      for (size_t b = a + 1; b < scores.size(); ++b) take(choice, scores, a, b);
    }
  }
  return choice;
}

PreferencePair make_pair_of(const RankedList& list, PairIndices indices) {
  PreferencePair pair;
  pair.prompt = list.prompt;
  pair.chosen = list.completions.at(indices.better);
  pair.rejected = list.completions.at(indices.worse);
  pair.extra = list.extra;
  if (!list.scores.empty()) {
    pair.extra["chosen_score"] = list.scores.at(indices.better);
    pair.extra["rejected_score"] = list.scores.at(indices.worse);
  }
  return pair;
}

}  // namespace plaudit
