#include "plaudit/claim/instructions.h"

#include <ATen/ATen.h>

namespace plaudit {

at::Tensor instructions_met(const SentilangLines& lines) {
  const auto weights = sentilang::weights().index({lines.answers()});
  const auto count = [&](const at::Tensor& found) { return found.logical_and(lines.mask()).sum(1); };
  const auto positive = count(weights.gt(0)), negative = count(weights.lt(0));
  const auto words = lines.lengths - 1;  // of a line that ended
  const auto met0 = positive.ge(3).logical_and(negative.eq(0));
  const auto met1 = (positive + negative).eq(0).logical_and(words.ge(3));
  const auto met2 = words.ge(1).logical_and(words.le(5)).logical_and(positive.ge(1));
  const auto met = at::where(lines.groups.eq(0), met0, at::where(lines.groups.eq(1), met1, met2));
  return met.logical_and(lines.ended());
}

}  // namespace plaudit
