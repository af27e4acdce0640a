// Preference strength: what an ensemble of reward models thinks of the labels, and what to do with it.
//
// Several models trained on the same pairs vote; pairs that most of them would turn round are probably
// mislabelled, pairs near zero are ambiguous. The weakest pairs are then flipped, smoothed or given a margin.
// Source: Wang et al., "Secrets of RLHF in LLMs Part II", 2024, arXiv 2401.06080, section 2.2.
// UserErrors everywhere: no pair (empty), unequal sizes (shape), NaN (nan), an option out of range (value).
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

struct PreferenceStrength {
  Tensor mean;               // [N], mean over models of chosen - rejected
  Tensor std;                // [N], population standard deviation over models
  Tensor negative_fraction;  // scalar, share of pairs with mean < 0
};

// Scores [M,N] of M models for the chosen and the rejected answer of N pairs (eq. 4).
PreferenceStrength preference_strength(const Tensor& chosen_scores, const Tensor& rejected_scores);

struct StrengthGroups {
  Tensor group;       // [N] i64, 0 the weakest
  Tensor group_mean;  // [groups]
};

// Splits N pairs into 1 <= groups <= N of equal size by ascending strength [N], stable; the first N mod
// groups groups hold one more.
StrengthGroups strength_groups(const Tensor& strength, int64_t groups = 20);

struct FlipOptions {
  double fraction = 0.2;       // share of pairs to flip, in [0, 1]
  bool only_negative = false;  // never flip a pair of strength >= 0
};

// Which labels to turn round, [N] bool: the floor(fraction N + 1e-9) weakest, ties to the lower index.
Tensor flip_weakest(const Tensor& strength, const FlipOptions& options = {});

struct MarginOptions {
  double scale = 1;
  double clip = 0;  // clamp to [-clip, clip]; 0 for none
};

// The margin of the Bradley-Terry loss, [N]: scale times the strength, negated where the pair was flipped
// (eq. 6).
Tensor adaptive_margin(const Tensor& strength, const Tensor& flip, const MarginOptions& options = {});

struct SoftLabelOptions {
  double alpha = 0.1;                          // the smoothing, in [0, 1]
  double below = 0;                            // smooth pairs weaker than this
  std::optional<double> above = std::nullopt;  // when given: smooth pairs stronger than this instead
};

// The label smoothing of each pair, [N] (eq. 5): alpha where it was not flipped and its strength is below
// `below`, or, with `above` given, is above that (against overfitting the easiest pairs); else 0.
Tensor soft_labels(const Tensor& strength, const Tensor& flip, const SoftLabelOptions& options = {});

}  // namespace plaudit
