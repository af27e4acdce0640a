// A sentence as the reward: similarity of image and text embeddings.
//
// Source: Rocamonde et al., "Vision-Language Models are Zero-Shot Reward Models", ICLR 2024, arXiv
// 2310.12921.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Cosine [B] of each state [B,D] with the mean of the unit goals [K,D]. Errors: empty, shape, nan, a vector
// of length 0 (value).
Tensor clip_cosine(const Tensor& state, const Tensor& goal);

// 1 - |(s - g) P|^2 / 2 with P = alpha d d^T/(d.d) + (1 - alpha) I, d = g - b (eq. 4): alpha = 1 keeps only
// the direction from `baseline` [K,D] to `goal` [K,D], alpha = 0 is s.g for a unit g. All vectors are
// normalised inside, the means over K are not. Errors besides: alpha outside [0,1], goal and baseline alike
// (value).
Tensor goal_baseline(const Tensor& state, const Tensor& goal, const Tensor& baseline, double alpha);

}  // namespace plaudit
