// One training loop for everything that is learnt by gradients: supervised, reward and preference training,
// later the rest. A method is an Objective (what to compute on some examples); the loop owns everything else:
// order of examples, batches by token budget, accumulation, clipping, schedule, ranks, progress, metrics,
// checkpoints, resume.
//
// Promises: the gradient of an update does not depend on how its batch was cut into passes or ranks (up to
// rounding); a run that was killed continues bit for bit; a loss that is not finite never reaches a weight.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/model/transformer.h"
#include "plaudit/train/options.h"

namespace plaudit {

using Json = nlohmann::ordered_json;

// A metric as a sum and the weight that it sums over; reported as sum/weight.
struct MetricSum {
  at::Tensor sum;  // scalar, no autograd graph
  double weight = 0;
};

// The sum of losses over some examples, and its unit: the gradient of a step is sum(loss)/sum(weight) over
// all micro-batches and ranks, which makes accumulation equal to the large batch exactly.
struct StepLoss {
  at::Tensor loss_sum;  // scalar, with autograd graph
  double weight = 0;    // tokens or examples that it sums over
  std::map<std::string, MetricSum> sums;
};

// The other processes that train the same model. The default is alone.
struct Collective {
  int64_t rank = 0;
  int64_t world = 1;
  // Replaces each tensor by its sum over the ranks; all ranks call it in the same order with equal shapes.
  std::function<void(std::vector<at::Tensor>&)> all_reduce_sum = [](std::vector<at::Tensor>&) {};
};

// Reference log-probabilities of other runs. Two computations are equal bit for bit when their keys are
// (model, tokenizer, data, precision) and `computed_by` is: program, processor, threads, batches. "": none is
// taken.
struct SharedReferences {
  std::vector<std::string> files = {};
  std::string computed_by = "";
  std::shared_ptr<void> turn = {};  // other runs wait for this one as long as it lives
};

// What surrounds a run. Every callback may be left empty.
struct TrainContext {
  Rng rng;                  // order of examples and dropout
  std::string folder = "";  // checkpoints and what goes wrong are saved here; "": nothing is saved
  Collective collective = {};
  // Where other runs may have kept the reference log-probabilities of this one, under `key`; asked for before
  // they are computed, by rank 0 first, whose answer may be long in coming: until a run that computes them
  // now has done so.
  std::function<SharedReferences(const std::string& key)> shared_references = {};
  // Rank 0, after each update: its 1-based number and its metrics.
  std::function<void(int64_t step, const std::map<std::string, double>&)> metrics = {};
  // Rank 0, during preparation and after each update.
  std::function<void(int64_t done, int64_t total, const std::string& what)> progress = {};
  // Every rank, after every evaluate_every updates and at the end; what it returns joins the step's metrics.
  std::function<std::map<std::string, double>(int64_t step)> evaluate = {};
  // True once the user wants to stop: the step is finished and saved first.
  std::function<bool()> interrupt = {};
  // What the caller wants saved in each checkpoint and back on resume, e.g. the length of its metrics log.
  std::function<Json()> save_state = {};
  std::function<void(const Json&)> load_state = {};
};

class Objective {
 public:
  virtual ~Objective() = default;
  virtual std::string name() const = 0;
  virtual int64_t size() const = 0;                   // examples
  virtual int64_t tokens(int64_t example) const = 0;  // unpadded tokens that the example costs
  virtual StepLoss loss(const std::vector<int64_t>& examples) = 0;
  // Called before the passes of an update with all its examples, over all ranks and on every rank, and before
  // an evaluation with all examples: for what must be known of the whole batch. Without dropout.
  virtual void begin_update(const std::vector<int64_t>& batch, int64_t tokens_per_batch,
                            const Collective& ranks) {}
  // How many updates in a row take the same examples: the epochs of PPO on one batch of answers.
  virtual int64_t updates_per_batch() const { return 1; }
  // Called before each loss() of training with a number of its own, from which all randomness of that pass
  // (dropout) is to be drawn; nullopt: whatever follows is evaluation, without dropout.
  virtual void begin_pass(std::optional<uint64_t> key) {}
  virtual std::vector<Parameter> parameters() const = 0;  // what the optimizer changes
  // The names in StepLoss::sums, so that ranks agree on them before they have computed any.
  virtual std::vector<std::string> metric_names() const { return {}; }
  // Called once before the first step and before a checkpoint is restored, e.g. to cache reference
  // log-probabilities. Returns false when it stopped because of context.interrupt.
  virtual bool prepare(const TrainOptions& options, TrainContext& context) { return true; }
  // Called after each update with its 1-based number.
  virtual void after_step(int64_t step) {}
  // Tensors besides parameters() that change during training and belong in a checkpoint.
  virtual std::vector<Parameter> state() const { return {}; }
  // Identifies the data, the starting model and the method's options: a checkpoint of another one is refused.
  virtual uint64_t fingerprint() const { return 0; }
  // What became of the data: examples kept, cut, dropped. For the run's report.
  virtual std::map<std::string, int64_t> counts() const { return {}; }
  // A short text of one example, saved when its loss is not finite.
  virtual std::string show(int64_t example) const = 0;
};

struct TrainResult {
  int64_t steps = 0;         // updates done, those before a resume included
  int64_t total_steps = 0;   // updates planned
  int64_t resumed_from = 0;  // 0: from the start
  int64_t skipped = 0;       // updates left out because of a loss or gradient that was not finite
  int64_t tokens = 0;        // unpadded tokens, this process's run only, over all ranks
  double seconds = 0;        // spent in updates, this process's run only
  bool interrupted = false;
  std::map<std::string, double> metrics;  // of the last update
  std::string checkpoint;                 // the last one written; "" without a folder
};

// Trains until the options' steps are done or the user interrupts. Continues from the newest checkpoint in
// context.folder when there is one; a finished run returns at once.
// Errors: no examples (empty); an option out of range (value); a loss or gradient that is not finite (nan,
// names the step and the file with the batch); a checkpoint of other data, model or options (value).
TrainResult train(Objective& objective, const TrainOptions& options, TrainContext& context);

// The mean loss ("loss") and metrics over all examples, without changing anything.
std::map<std::string, double> evaluate_objective(Objective& objective, int64_t tokens_per_batch);

}  // namespace plaudit
