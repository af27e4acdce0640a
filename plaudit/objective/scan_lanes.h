// The inner loop of every discounted scan: several rows at once.
#pragma once

#include <cstdint>

namespace plaudit {

constexpr int64_t kScanLanes = 8;

// y_t = x_t + decay(lane, t) y_{t+1} for t = steps-1 .. 0 in each of `lanes` rows that lie `stride` apart;
// next[lane] is y behind the end and becomes y_0. The recursion of one row waits for its own last step; the
// other rows fill the wait. y may be x.
template <int64_t lanes, class Scalar, class Decay>
inline void scan_lanes(const Scalar* x, Scalar* y, int64_t stride, int64_t steps, Scalar* next,
                       const Decay& decay) {
  Scalar last[lanes];
  for (int64_t lane = 0; lane < lanes; ++lane) last[lane] = next[lane];
  for (int64_t t = steps - 1; t >= 0; --t) {
#pragma GCC unroll 8
    for (int64_t lane = 0; lane < lanes; ++lane) {
      last[lane] = x[lane * stride + t] + decay(lane, t) * last[lane];
      y[lane * stride + t] = last[lane];
    }
  }
  for (int64_t lane = 0; lane < lanes; ++lane) next[lane] = last[lane];
}

// As above for any number of rows.
template <class Scalar, class Decay>
inline void scan_rows(const Scalar* x, Scalar* y, int64_t rows, int64_t stride, int64_t steps, Scalar* next,
                      const Decay& decay) {
  int64_t row = 0;
  for (; row + kScanLanes <= rows; row += kScanLanes)
    scan_lanes<kScanLanes>(x + row * stride, y + row * stride, stride, steps, next + row,
                           [&](int64_t lane, int64_t t) { return decay(row + lane, t); });
  for (; row < rows; ++row)
    scan_lanes<1>(x + row * stride, y + row * stride, stride, steps, next + row,
                  [&](int64_t lane, int64_t t) { return decay(row + lane, t); });
}

}  // namespace plaudit
