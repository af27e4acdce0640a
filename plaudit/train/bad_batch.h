// What is kept of a batch whose loss or gradient is not finite.
#pragma once

#include <string>
#include <vector>

#include "plaudit/train/loop.h"

namespace plaudit {

struct BadBatch {
  int64_t step = 0;  // 1-based
  double loss = 0;
  double gradient_norm = 0;
  std::vector<int64_t> examples;
};

// Computes the loss of each example alone, writes `<folder>/bad-batch-step-<step>.json` (the examples whose
// loss is not finite first) and returns a message that names the step, the file and the first examples.
// Without a folder only the message is made.
std::string save_bad_batch(Objective& objective, const BadBatch& batch, const std::string& folder);

}  // namespace plaudit
