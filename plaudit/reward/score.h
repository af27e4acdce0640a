// The scalar reward head: r(x,y) = w . h(x,y) + b.
//
// Source: Wang et al., "Secrets of RLHF in LLMs Part II", 2024, arXiv 2401.06080, section 2.1.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

// The last valid position of each row of `mask` [B,T], padding on either side; [B] i64. A row without a valid
// position is an error of kind empty.
Tensor last_token_index(const Tensor& mask);

struct ScoreOptions {
  std::optional<Tensor> bias = std::nullopt;  // one number; default 0
  std::string pooling =
      "last";  // "last": the hidden state at the last valid position; "mean": the masked mean
};

// Rewards [B] from hidden states [B,T,D] after the final norm, `mask` [B,T] and `weight` [D]. What `hidden`
// holds under an invalid position is ignored. Errors: empty (no element, a row without a valid position),
// shape, nan, value (unknown pooling).
Tensor score_hidden(const Tensor& hidden, const Tensor& mask, const Tensor& weight,
                    const ScoreOptions& options = {});

}  // namespace plaudit
