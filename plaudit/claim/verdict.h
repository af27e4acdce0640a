// Whether what was measured meets the bars of a claim.
#pragma once

#include "plaudit/claim/runner.h"

namespace plaudit {

struct BarResult {
  std::string name;
  double value = 0;            // the element that is farthest on the wrong side of `compare`
  std::vector<double> values;  // all elements, seed after seed
  std::string compare;         // of a control the opposite of its bar's
  double bound = 0;
  bool control = false;  // a bar that had to be missed
  bool pass = false;
};

// Judges every bar and its controls, and the time limit. A bar that is NaN somewhere does not hold. UserError
// (value): a metric that a variant did not measure, with the nearest.
std::vector<BarResult> judge(const Claim& claim, const ClaimRun& run);

bool all_pass(const std::vector<BarResult>& bars);

}  // namespace plaudit
