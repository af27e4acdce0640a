#include "plaudit/eval/meteor.h"

#include <cmath>
#include <unordered_map>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

// Where each token of the hypothesis is matched in the reference, -1 for nowhere.
std::vector<int64_t> align(const std::vector<int64_t>& reference, const std::vector<int64_t>& hypothesis) {
  std::unordered_map<int64_t, std::vector<int64_t>> places;
  for (size_t i = 0; i < reference.size(); ++i) places[reference[i]].push_back(static_cast<int64_t>(i));
  std::vector<int64_t> matched(hypothesis.size(), -1);
  for (size_t i = hypothesis.size(); i-- > 0;) {
    const auto found = places.find(hypothesis[i]);
    if (found == places.end() || found->second.empty()) continue;
    matched[i] = found->second.back();
    found->second.pop_back();
  }
  return matched;
}

// The score of two sequences that are not empty.
Meteor meteor_of(const std::vector<int64_t>& reference, const std::vector<int64_t>& hypothesis,
                 const MeteorOptions& options) {
  int64_t matches = 0, chunks = 0;
  bool running = false;  // the token before was matched, at `previous`
  int64_t previous = -1;
  for (const int64_t place : align(reference, hypothesis)) {
    if (place >= 0) {
      ++matches;
      if (!running || place != previous + 1) ++chunks;
    }
    running = place >= 0;
    previous = place;
  }
  if (matches == 0) return {0, 0, 0};
  const auto m = static_cast<double>(matches);
  const double precision = m / static_cast<double>(hypothesis.size());
  const double recall = m / static_cast<double>(reference.size());
  const double f = precision * recall / (options.alpha * precision + (1 - options.alpha) * recall);
  const double fragmentation = std::pow(static_cast<double>(chunks) / m, options.beta);
  return {f * (1 - options.gamma * fragmentation), matches, chunks};
}

}  // namespace

Meteor meteor(const std::vector<int64_t>& reference, const std::vector<int64_t>& hypothesis,
              const MeteorOptions& options) {
  const Check check("eval.meteor");
  if (reference.empty()) check.refuse(ErrorKind::empty, "reference", "is empty");
  if (hypothesis.empty()) check.refuse(ErrorKind::empty, "hypothesis", "is empty");
  check.that(options.alpha >= 0 && options.alpha <= 1, "alpha", "in [0, 1]", options.alpha);
  check.that(options.beta >= 0, "beta", ">= 0", options.beta);
  check.that(options.gamma >= 0 && options.gamma <= 1, "gamma", "in [0, 1]", options.gamma);
  return meteor_of(reference, hypothesis, options);
}

double meteor_similarity(const std::vector<std::vector<int64_t>>& sequences) {
  const Check check("eval.meteor_similarity");
  const size_t n = sequences.size();
  if (n < 2) check.refuse(ErrorKind::empty, "sequences", fmt::format("has {} texts, needs at least 2", n));
  for (size_t i = 0; i < n; ++i) {
    if (sequences[i].empty()) check.refuse(ErrorKind::empty, "sequences", fmt::format("[{}] is empty", i));
  }
  double total = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      if (i != j) total += meteor_of(sequences[i], sequences[j], {}).score;
    }
  }
  return total / static_cast<double>(n * (n - 1));
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def(
      "meteor(int[] reference, int[] hypothesis, float alpha=0.9, float beta=3., float gamma=0.5) -> (float "
      "score, int matches, int chunks)",
      [](at::IntArrayRef reference, at::IntArrayRef hypothesis, double alpha, double beta, double gamma) {
        return as_tuple(meteor(reference.vec(), hypothesis.vec(), {alpha, beta, gamma}));
      },
      "METEOR of two token sequences, exact matches only.", {"43"});
  m.def("meteor_similarity(int[][] sequences) -> (float similarity)",
        [](const std::vector<std::vector<int64_t>>& sequences) { return meteor_similarity(sequences); },
        "Mean METEOR over all ordered pairs of texts.", {"43"});
}

}  // namespace plaudit
