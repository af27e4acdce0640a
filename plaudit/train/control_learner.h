// A method that learns a policy of continuous control from batches of transitions; train/control_loop.h
// drives it, whether the transitions are logged or made on the way.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/data/replay.h"
#include "plaudit/train/adamw.h"
#include "plaudit/train/control_actor.h"

namespace plaudit {

class ControlLearner {
 public:
  virtual ~ControlLearner() = default;

  // One update; `step` is that of the run. UserError (nan): a loss that is not finite; it changed no weight.
  virtual void update(const ReplayBatch& batch, int64_t step, Rng& rng) = 0;
  // Of the last update.
  virtual std::map<std::string, double> metrics() const = 0;
  virtual const ControlActor& actor() const = 0;
  // Weights, targets and optimizer states: what a checkpoint holds.
  virtual std::vector<Parameter> state() const = 0;
  // Method and options, to tell the checkpoint of another run.
  virtual std::string settings() const = 0;
};

// UserError (nan), "train.<method>: the loss of the <what> is ...", unless the loss is finite.
void check_finite_loss(const std::string& method, const std::string& what, const at::Tensor& loss);

// Threads that networks of these layers gain from, at most: up to 128 units waking a second one costs more
// than it brings, the more so on a busy machine.
int control_threads(const std::vector<int64_t>& hidden);

// Adam of the one tensor that holds a network, or of a number.
std::unique_ptr<AdamW> adam_of(const std::string& name, const at::Tensor& tensor);

// Adds a number that an update may not have computed yet: an undefined tensor is left out.
void add_computed(std::map<std::string, double>& metrics, const std::string& name, const at::Tensor& value);

// Adds tensors without their graph, names with a prefix.
void add_state(std::vector<Parameter>& out, const std::string& prefix, const std::vector<Parameter>& tensors);

}  // namespace plaudit
