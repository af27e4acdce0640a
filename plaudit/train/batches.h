// Which examples make up which update, and how an update is cut into forward passes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/train/options.h"

namespace plaudit {

// The order of examples of a run: epoch after epoch, each in its own random order, in batches of
// options.batch (the last of an epoch may be smaller). A pure function of the random stream and the step, so
// nothing of it needs saving.
class BatchPlan {
 public:
  BatchPlan(int64_t examples, const TrainOptions& options, const Rng& rng);

  int64_t steps() const { return steps_; }
  // Examples of update `step` (0-based), over all ranks.
  std::vector<int64_t> batch(int64_t step);
  // Epochs done after `steps` updates, e.g. 1.5.
  double epochs_after(int64_t steps) const;

 private:
  int64_t examples_, batch_, steps_per_epoch_, steps_;
  Rng rng_;
  int64_t epoch_ = -1;  // whose order is held
  std::vector<int64_t> order_;
};

// Tokens that an example costs.
using TokenCount = std::function<int64_t(int64_t example)>;

// The part of a batch that `rank` of `world` computes: the examples, longest first, dealt back and forth, so
// that all ranks get about equal work. May be empty.
std::vector<int64_t> share_of_rank(std::vector<int64_t> batch, const TokenCount& tokens, int64_t rank,
                                   int64_t world);

// Cuts examples into forward passes of at most `budget` tokens, similar lengths together; an example above
// the budget is alone in its pass.
std::vector<std::vector<int64_t>> micro_batches(std::vector<int64_t> examples, const TokenCount& tokens,
                                                int64_t budget);

}  // namespace plaudit
