// The one loop of continuous control: get experience, update, report, evaluate, save, with resume.
//
// Where transitions come from is an Experience: an environment that the policy acts in (off_policy.h), or a
// log (logged_control.h). Checkpoints are written where an experience rests, e.g. at the end of an episode,
// so that nothing of a simulation needs to be kept: a run that was killed continues bit for bit from there.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/train/control_learner.h"

namespace plaudit {

using Json = nlohmann::ordered_json;
using ControlMetrics = std::map<std::string, double>;

class Experience {
 public:
  virtual ~Experience() = default;
  // What it is of: a checkpoint of another one is refused.
  virtual std::string name() const = 0;
  // Before the update of `step`, from 1: makes what the step brings; false when it is too early to learn.
  virtual bool advance(int64_t step, const ControlActor& actor) = 0;
  virtual ReplayBatch sample(int64_t batch, Rng& rng) const = 0;
  // True where a report and a checkpoint may follow the step, and what is to be said of it.
  virtual bool rests() const = 0;
  virtual ControlMetrics metrics() const { return {}; }
  // What a checkpoint must hold, and back.
  virtual std::vector<Parameter> state() const { return {}; }
  virtual Json save() const { return Json::object(); }
  virtual void restore(const Json&) {}
};

struct ControlLoopOptions {
  int64_t steps = 1'000'000;
  int64_t batch = 256;
  int64_t save_every = 20'000;  // steps, at the next rest
  int64_t evaluate_every = 0;   // steps, at the next rest; 0: at the end
};

// What surrounds a run; every callback may be left empty.
struct ControlContext {
  Rng rng;
  std::string folder = "";  // of checkpoints; "": none
  // At each rest: the step, and the metrics of learner, experience and evaluation.
  std::function<void(int64_t step, const ControlMetrics&)> report = {};
  std::function<ControlMetrics(int64_t step)> evaluate = {};  // when it is due and at the end
  std::function<void(int64_t done, int64_t total)> progress = {};
  std::function<bool()> interrupt = {};  // true: stop at the next rest, saved
  // What the caller wants saved in each checkpoint and back on resume.
  std::function<Json()> save_state = {};
  std::function<void(const Json&)> load_state = {};
};

struct ControlResult {
  int64_t steps = 0, resumed_from = 0;
  bool interrupted = false;
};

// One update a step. UserErrors: those of learner and experience; a checkpoint of another run (value, shape).
ControlResult train_control(Experience& experience, ControlLearner& learner,
                            const ControlLoopOptions& options, ControlContext& context);

}  // namespace plaudit
