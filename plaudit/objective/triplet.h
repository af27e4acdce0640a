// Contexts of trajectories, ordered by preference around one anchor.
//
// Kang et al., "Beyond Reward: Offline Preference-guided Policy Optimization", 2023, arXiv 2305.16217.
// UserErrors: empty, shape, nan, value.
#pragma once

#include "plaudit/objective/offline_value.h"

namespace plaudit {

struct TripletOptions {
  double margin = 1;  // >= 0
  double eps = 1e-6;  // added to every coordinate of a difference before its norm, >= 0
};

// Mean of max(0, |anchor - positive + eps| - |anchor - negative + eps| + margin); `positive`, `negative`
// [B,D], `anchor` [D] or [B,D].
ElementwiseLoss triplet_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                             const TripletOptions& options = {});

// Mean of (|z| - 1)^2 over rows of z [B,D].
Tensor unit_norm_penalty(const Tensor& z);

struct OppoTerms {
  Tensor rec_a, rec_b;    // reconstruction losses of the two windows, scalars
  Tensor triplet;         // scalar
  Tensor norm_a, norm_b;  // unit_norm_penalty of the two contexts
};

// rec_a + rec_b + pref_weight triplet + norm_weight (norm_a + norm_b).
Tensor oppo_objective(const OppoTerms& terms, double pref_weight = 0.1, double norm_weight = 0.1);

}  // namespace plaudit
