// Contrastive losses on features of a reward model, to be added to its Bradley-Terry loss.
//
// Source: Wang et al., "Secrets of RLHF in LLMs Part II", 2024, arXiv 2401.06080, section 3.1.
// UserErrors everywhere: empty batch (empty), unequal sizes (shape), NaN (nan), an option out of range
// (value).
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct SimcseResult {
  Tensor loss;    // scalar, mean of losses
  Tensor losses;  // [B]
};

// InfoNCE with in-batch negatives: row i of `features_a` [B,D] against all rows of `features_b` [B,D], cosine
// similarity over `temperature` > 0, positive at i (eq. 9). A row of zeros has cosine 0 with every other.
SimcseResult simcse_loss(const Tensor& features_a, const Tensor& features_b, double temperature = 0.05);

struct SwavOptions {
  double temperature = 0.1;  // of the predictions, > 0
  double epsilon = 0.05;     // entropy of the assignments, > 0
  int64_t iterations = 3;    // of Sinkhorn, >= 1
};

struct SwavResult {
  Tensor loss;           // scalar
  Tensor assignments_a;  // [B,K], rows sum to 1, no gradient
  Tensor assignments_b;  // [B,K]
};

// Swapped prediction between two views `features_a`, `features_b` [B,D] of the same sequences over
// `prototypes` [K,D] (eq. 7-8): mean_i [CE(q_b, p_a) + CE(q_a, p_b)], where q balances the batch over the
// prototypes. A sum as in the equation; SwAV's own code averages the two, half of this. Rows are
// L2-normalised here.
SwavResult swav_loss(const Tensor& features_a, const Tensor& features_b, const Tensor& prototypes,
                     const SwavOptions& options = {});

// Rows to contrast, from features [B,D] of chosen and rejected answers: "pair" gives the chosen rows then the
// rejected rows, "difference" gives chosen - rejected then rejected - chosen; [2B,D].
Tensor preference_features(const Tensor& chosen, const Tensor& rejected, const std::string& kind);

}  // namespace plaudit
