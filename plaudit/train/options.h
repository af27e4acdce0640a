// How to train: what the recipes' `train` stage, the command line and the docs share.
#pragma once

#include <cstdint>
#include <string>

#include "plaudit/core/options.h"

namespace plaudit {

struct TrainOptions {
  int64_t epochs = 1;
  int64_t max_steps = 0;            // 0: epochs decide
  int64_t batch = 16;               // examples per update, over all ranks
  int64_t tokens_per_batch = 2048;  // most tokens in one forward pass; more are accumulated
  double learning_rate = 2e-4;
  std::string schedule = "cosine";  // constant, linear, cosine, inverse-sqrt
  double warmup = 0.1;              // share of the steps
  double min_learning_rate = 0;     // end of the schedule, as a share of the peak
  double weight_decay = 0;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double clip = 1;                // largest gradient norm; 0: off
  std::string on_nan = "stop";    // stop (batch saved), skip (counted)
  int64_t checkpoint_every = 50;  // steps; 0: only at the end
  int64_t evaluate_every = 0;     // steps; 0: off
};

template <>
void describe(OptionTable<TrainOptions>& table);

}  // namespace plaudit
