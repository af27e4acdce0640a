// Which samples and pairs go on to training.
//
// UserErrors everywhere: empty, shape, nan, value.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

struct TopK {
  Tensor indices;  // [B,k] i64, -1 where fewer than k answers are valid
  Tensor scores;   // [B,k], 0 where the index is -1
};

// The k best of each row of `rewards` [B,K], best first, ties to the lower index; 1 <= k <= K. Rewards where
// `valid` [B,K] is zero are never read. Mukobi et al., 2023, arXiv 2310.16763.
TopK top_k(const Tensor& rewards, int64_t k, const std::optional<Tensor>& valid = std::nullopt);

struct MarginPairOptions {
  double min_positive = 5;             // score of a positive, at least
  double margin_teacher = 2;           // by how much a positive of the teacher must lead
  double margin_student = 1;           // by how much a positive of the model itself must lead
  bool teacher_positive_only = false;  // only teacher over student
};

// Pairs (positive, negative) of answers to one prompt with a clear margin, by positive then negative index.
// `scores` [K], `teacher` [K] nonzero for the teacher's answers. Rosset et al., 2024, arXiv 2404.03715,
// section 5.1.
std::vector<std::pair<int64_t, int64_t>> margin_pairs(const Tensor& scores, const Tensor& teacher,
                                                      const MarginPairOptions& options = {});

// How many pairs of each earlier round to replay: floor(first decay^(age-1) size), age 1 = the newest, which
// is the last of `history_sizes`; first and decay in [0,1].
std::vector<int64_t> history_mix(const std::vector<int64_t>& history_sizes, double first = 0.3,
                                 double decay = 0.5);

}  // namespace plaudit
