#include "plaudit/eval/least_range.h"

#include <algorithm>

namespace plaudit {

double least_range(const std::function<RangeLine(double)>& line) {
  // The minimum lies on [0,2]: range(truth - 2 learned) >= 2 - 1 = range(truth).
  auto left = line(0), right = line(2);
  double best = std::min(left.height, right.height);
  for (int i = 0; i < 200 && left.slope < 0 && right.slope > 0; ++i) {
    const double lambda = (right(0) - left(0)) / (left.slope - right.slope);
    const double bound = left(lambda);
    const auto middle = line(lambda);
    best = std::min(best, middle.height);
    if (middle.height <= bound + 1e-10 || middle.slope == 0) break;
    (middle.slope < 0 ? left : right) = middle;
  }
  return std::clamp(best, 0.0, 1.0);
}

}  // namespace plaudit
