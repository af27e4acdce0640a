// How well scores agree with preferences, and whether their confidence can be believed.
//
// UserErrors: no pair (empty), unequal sizes (shape), NaN or infinity (nan), an option out of range (value).
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct PreferenceAccuracy {
  Tensor accuracy;  // scalar
  int64_t count;    // pairs
};

// Share of pairs [B] whose chosen answer has the higher reward; a tie counts "half" or "wrong".
PreferenceAccuracy preference_accuracy(const Tensor& chosen_rewards, const Tensor& rejected_rewards,
                                       const std::string& ties = "half");

struct PreferenceCalibration {
  Tensor ece;             // expected calibration error: sum_b n_b/N |accuracy_b - confidence_b|
  Tensor mce;             // the largest |accuracy_b - confidence_b| of a bin that is not empty
  Tensor nll;             // mean -log p
  Tensor brier;           // mean (1-p)^2
  Tensor bin_confidence;  // [bins], 0 for an empty bin
  Tensor bin_accuracy;    // [bins]
  Tensor bin_count;       // [bins] i64
};

// With p = sigma(chosen - rejected), confidence max(p, 1-p) and correctness 1, 1/2 (tie) or 0, in `bins`
// equal bins of confidence on [0.5, 1].
PreferenceCalibration preference_calibration(const Tensor& chosen_rewards, const Tensor& rejected_rewards,
                                             int64_t bins = 10);

}  // namespace plaudit
