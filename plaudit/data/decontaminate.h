// Finding training text that overlaps the tests.
//
// Lambert et al., "Tulu 3", 2024, arXiv 2411.15124, section 3.2: a token of a test text is covered when it
// lies in an n-gram of that text which occurs contiguously in the training text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plaudit {

using Tokens = std::vector<std::string>;

// Lower-case words (ASCII letters are lowered), split on blank . , ? ! : ; ( ) " - newline and backslash.
Tokens decontamination_tokens(const std::string& text);

struct NgramOverlap {
  std::vector<double> scores;  // per document: the share of query tokens that it covers
  double max_score;            // 0 without documents
};

// Coverage of `query` (not empty, else kind empty) by the n-grams of each document, n >= 1. A query or
// document of fewer than n tokens covers nothing.
NgramOverlap ngram_overlap(const Tokens& query, const std::vector<Tokens>& documents, int64_t n = 8);

struct Decontamination {
  std::vector<int64_t>
      contaminated;           // training rows that cover more than the threshold of some test text, ascending
  std::vector<int64_t> kept;  // the others
  std::vector<bool> eval_hit;  // per test text: some training row covers more than the threshold of it
  double eval_overlap_rate;    // share of test texts hit
};

// `threshold` in [0, 1]; strict. No test text is an error of kind empty. One inverted index over the n-grams
// of the tests serves all training rows, so the cost is linear in the training text.
Decontamination decontaminate(const std::vector<std::string>& train,
                              const std::vector<std::string>& evaluation, int64_t n = 8,
                              double threshold = 0.5);

}  // namespace plaudit
