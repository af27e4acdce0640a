// One training loop for everything that is learnt by gradients: supervised, reward and preference training,
// later the rest. A method is an Objective (what to compute on some examples); the loop owns everything else:
// order of examples, batches by token budget, accumulation, clipping, schedule, ranks, progress, metrics,
// checkpoints, resume.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plaudit/model/transformer.h"

namespace plaudit {

// The sum of losses over some examples, and its unit: the gradient of a step is sum(loss)/sum(weight) over
// all micro-batches and ranks, which makes accumulation equal to the large batch exactly.
struct StepLoss {
  at::Tensor loss_sum;  // scalar, with autograd graph
  double weight = 0;    // tokens or examples that it sums over
  std::map<std::string, std::pair<double, double>>
      sums;  // metric -> (sum, weight); reported as sum/weight per step
};

class Objective {
 public:
  virtual ~Objective() = default;
  virtual std::string name() const = 0;
  virtual int64_t size() const = 0;                   // examples
  virtual int64_t tokens(int64_t example) const = 0;  // unpadded tokens that the example costs
  virtual StepLoss loss(const std::vector<int64_t>& examples) = 0;
  virtual std::vector<Parameter> parameters() const = 0;  // what the optimizer changes
  // Called once before the first step, e.g. to cache reference log-probabilities.
  virtual void prepare() {}
  // A short text of one example, saved when its loss is not finite.
  virtual std::string show(int64_t example) const = 0;
};

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

}  // namespace plaudit
