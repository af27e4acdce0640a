// Which rows of a data set to keep, by their return or advantage, and draws in proportion to a weight.
//
// `returns`, `advantages`, `probabilities` [N]. Indices come back as i64, ascending unless said otherwise.
// UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/core/checks.h"

namespace plaudit {

struct PositiveAdvantage {
  Tensor indices;        // [M], advantage > 0
  Tensor probabilities;  // [M], proportional to the advantage, sum 1
  Tensor kept_fraction;  // scalar, M/N
};

// The rows worth learning from; none is an error of kind empty. Baheti et al., 2024, arXiv 2305.14718.
PositiveAdvantage positive_advantage(const Tensor& advantages);

// For every uniform [k] in [0,1) the least i whose cumulative probability exceeds u times the total: an entry
// of 0 is never drawn. Entries >= 0, not all 0; they need not sum to 1.
Tensor priority_draw(const Tensor& probabilities, const Tensor& uniforms);

// Rows with a return strictly above the threshold, the first `limit` of them (>= 1) in order.
Tensor above_return(const Tensor& returns, double threshold, std::optional<int64_t> limit = std::nullopt);

// The floor(fraction N) rows, at least one, of the highest return, ties to the lower index; fraction in
// (0,1].
Tensor top_fraction(const Tensor& returns, double fraction = 0.1);

struct ReturnQuantile {
  Tensor cutoff;   // scalar, the (1-fraction) quantile, linearly interpolated
  Tensor indices;  // [M], return >= cutoff
};
ReturnQuantile return_quantile(const Tensor& returns, double fraction = 0.1);

}  // namespace plaudit
