// Which queued items to annotate next: the newest.
//
// Zheng et al., "Online Intrinsic Rewards" (ONI), 2024, arXiv 2410.23022, appendix: the newest captions go
// out first, a bounded number of older ones waits.
#pragma once

#include <cstdint>

#include "plaudit/core/call.h"

namespace plaudit {

struct NewestBatch {
  Json batch;      // the newest items, oldest first
  Json remaining;  // the newest of the others
};
// Splits the queue `items` (a JSON list, oldest first) into the `batch_size` >= 1 newest and at most `cap` >=
// 0 that wait; what is older is dropped.
NewestBatch newest_batch(const Json& items, int64_t batch_size, int64_t cap);

}  // namespace plaudit
