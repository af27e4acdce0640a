// Steering a frozen language model at decoding time with a learned value function (VAS).
//
// Source: Han et al., "Value Augmented Sampling for Language Model Alignment and Personalization", 2024,
// arXiv 2405.06639, eq. 4-6. beta multiplies the values here (it is an inverse temperature). Errors: empty,
// shape, nan, value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// The k ids of largest logit of each row of logits [B,V], ties by lower id: [B,k] i64, 1 <= k <= V.
Tensor top_k_candidates(const Tensor& logits, int64_t k = 20);

struct AugmentedLogits {
  Tensor logits;  // [B,V]
  Tensor probs;   // [B,V] their softmax
};
// logits + beta (v - mean v) at the candidates [B,K]; the others stay, as if they had the mean value. An id
// that repeats in its row or is no token is an error of kind value.
AugmentedLogits value_augmented_logits(const Tensor& logits, const Tensor& candidate_ids,
                                       const Tensor& candidate_values, double beta = 1, bool center = true);

// One value per candidate from R rewards, values [R,B,K] and weights [R]: each centred over K, then summed.
Tensor compose_values(const Tensor& values, const Tensor& weights, bool center = true);

// The sampling law when only the top log-probabilities [B,K] are known: softmax(log p + beta v).
Tensor blackbox_probs(const Tensor& top_logps, const Tensor& candidate_values, double beta = 1,
                      bool center = true);

}  // namespace plaudit
