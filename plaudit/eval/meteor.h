// METEOR on token ids: how alike two texts are, word order included.
//
// Exact unigram matches only: Banerjee and Lavie, 2005, with the constants of NLTK. Mukobi et al., 2023,
// arXiv 2310.16763, watch its mean over answers to different prompts as a sign of reward hacking.
#pragma once

#include <cstdint>
#include <vector>

namespace plaudit {

struct MeteorOptions {
  double alpha = 0.9;  // weight of precision in the mean of precision and recall, in [0, 1]
  double beta = 3;     // exponent of the fragmentation, >= 0
  double gamma = 0.5;  // weight of the fragmentation, in [0, 1]
};

struct Meteor {
  double score;     // F (1 - gamma (chunks/matches)^beta), 0 without a match
  int64_t matches;  // the last token of the hypothesis first, each with the last equal token still free
  int64_t chunks;   // runs of matches in which both places advance by one
};

// UserErrors: an empty sequence (empty), an option out of range (value).
Meteor meteor(const std::vector<int64_t>& reference, const std::vector<int64_t>& hypothesis,
              const MeteorOptions& options = {});

// The mean score over all ordered pairs of different sequences; fewer than two are an error of kind empty.
double meteor_similarity(const std::vector<std::vector<int64_t>>& sequences);

}  // namespace plaudit
