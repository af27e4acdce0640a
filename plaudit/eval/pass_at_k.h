// The probability that at least one of k samples is right.
#pragma once

#include <cstdint>

namespace plaudit {

// 1 - C(n-c, k)/C(n, k): unbiased from n samples of which c are right; 0 <= c <= n, 1 <= k <= n (kind value).
// In product form, exact for any n. Chen et al., 2021, arXiv 2107.03374, eq. 1.
double pass_at_k(int64_t n, int64_t c, int64_t k);

}  // namespace plaudit
