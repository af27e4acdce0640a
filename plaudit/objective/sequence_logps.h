// Log-probabilities of answers from logits, padded or packed.
//
// Position t predicts token t+1: the last logit and the first label of a sequence are dropped. A label equal
// to `ignore_index` (prompt, padding) does not count; what the logits hold there is ignored, NaN included.
// The log-softmax is computed in f32 at least, in chunks of positions, and never stored for a whole
// vocabulary. Training through a language-model head uses the fused decode.token_logps, which needs no logits
// at all.
//
// UserErrors: no element, or a sequence in which nothing counts (empty); sizes that disagree (shape); a
// counted log-probability that is NaN or infinite (nan, named after the logits); a label outside [0,V)
// (value).
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct LogpOptions {
  int64_t ignore_index = -100;
  bool average = false;  // per-token mean instead of the sum
};

struct SequenceLogps {
  Tensor logps;        // [B]
  Tensor lengths;      // [B] i64, counted tokens
  Tensor token_logps;  // [B,T-1], 0 where a token does not count
};

// `logits` [B,T,V], `labels` [B,T] i64.
SequenceLogps sequence_logps(const Tensor& logits, const Tensor& labels, const LogpOptions& options = {});

struct PackedLogps {
  Tensor logps;    // [S]
  Tensor lengths;  // [S] i64
};

// Documents end to end: `logits` [N,V], `labels` [N], `cu_seqlens` [S+1] i64 starting at 0, strictly
// increasing, ending at N (kind value). The last position of a document predicts nothing.
PackedLogps packed_sequence_logps(const Tensor& logits, const Tensor& labels, const Tensor& cu_seqlens,
                                  const LogpOptions& options = {});

}  // namespace plaudit
