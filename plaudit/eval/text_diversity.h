// How diverse sampled answers are: distinct n-grams, self-BLEU, token entropy.
#pragma once

#include <cstdint>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

using TokenLists = std::vector<std::vector<int64_t>>;

// Distinct n-grams over all n-grams of all sequences; 0 when there are none. n >= 1. Li et al., 2016, arXiv
// 1510.03055.
double distinct_n(const TokenLists& sequences, int64_t n = 2);

struct SelfBleu {
  double self_bleu;  // mean
  std::vector<double> per_sequence;
};
// BLEU of each sequence against all others, clipped n-gram counts up to `max_n` >= 1; above unigrams one is
// added to both counts; 0 for an empty sequence or without a common unigram; brevity penalty with the closest
// reference length, the shorter on ties. Fewer than two sequences are an error of kind empty. Zhu et al.,
// 2018, arXiv 1802.01886.
SelfBleu self_bleu(const TokenLists& sequences, int64_t max_n = 4);

struct TokenEntropy {
  Tensor entropy;    // scalar, mean over the valid tokens, nats
  Tensor per_token;  // [B,T], 0 under the mask
};
// Of logits [B,T,V]; what lies under mask [B,T] is ignored.
TokenEntropy token_entropy(const Tensor& logits, const Tensor& mask);

}  // namespace plaudit
