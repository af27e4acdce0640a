// The sentiment of token sequences under a table of word weights: a reward whose truth is known.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct LexiconSentiment {
  Tensor rewards;  // [B], sigma(scale * score), in (0,1)
  Tensor score;    // [B], sum of the weights of the valid tokens
};

// `tokens` i64 [B,T], `mask` [B,T] (valid where nonzero; a row without a valid token scores 0), `weights`
// [V]. Differentiable in `weights`. UserErrors: empty, shape, nan, and value for a valid token outside [0,V).
LexiconSentiment lexicon_sentiment(const Tensor& tokens, const Tensor& mask, const Tensor& weights,
                                   double scale = 1);

}  // namespace plaudit
