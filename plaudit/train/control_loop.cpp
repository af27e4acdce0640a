#include "plaudit/train/control_loop.h"

#include <fmt/format.h>

#include "plaudit/core/errors.h"
#include "plaudit/train/checkpoint.h"

namespace plaudit {
namespace {

class ControlRun {
 public:
  ControlRun(Experience& experience, ControlLearner& learner, const ControlLoopOptions& options,
             ControlContext& context)
      : experience_(experience),
        learner_(learner),
        options_(options),
        context_(context),
        learning_(context.rng.child("learning")) {}

  ControlResult run() {
    resume();
    while (result_.steps < options_.steps && !result_.interrupted) {
      step();
      if (experience_.rests() || result_.steps == options_.steps) rest();
    }
    return result_;
  }

 private:
  void step() {
    const auto step = ++result_.steps;
    if (experience_.advance(step, learner_.actor()))
      learner_.update(experience_.sample(options_.batch, learning_), step, learning_);
    if (context_.progress && (step % 100 == 0 || experience_.rests()))
      context_.progress(step, options_.steps);
  }

  void rest() {
    const bool last = result_.steps >= options_.steps;
    auto metrics = learner_.metrics();
    metrics.merge(experience_.metrics());
    const bool evaluation =
        options_.evaluate_every > 0 && result_.steps - evaluated_ >= options_.evaluate_every;
    if (context_.evaluate && (evaluation || last)) {
      evaluated_ = result_.steps;
      metrics.merge(context_.evaluate(result_.steps));
    }
    if (context_.report) context_.report(result_.steps, metrics);
    result_.interrupted = context_.interrupt && context_.interrupt();
    const bool due = result_.steps - saved_ >= options_.save_every || last;
    if (!context_.folder.empty() && (due || result_.interrupted)) save();
  }

  // Data of another run must not be gone on with.
  Json fingerprint() const {
    return {{"experience", experience_.name()},
            {"learner", learner_.settings()},
            {"steps", options_.steps},
            {"batch", options_.batch},
            {"rng", context_.rng.save()}};
  }

  std::vector<Parameter> tensors() const {
    auto out = learner_.state();
    for (const auto& [name, tensor] : experience_.state()) out.push_back({name, tensor});
    return out;
  }

  void save() {
    saved_ = result_.steps;
    Json info = {{"run", fingerprint()},
                 {"steps", result_.steps},
                 {"evaluated", evaluated_},
                 {"learning", learning_.save()},
                 {"experience", experience_.save()}};
    if (context_.save_state) info["state"] = context_.save_state();
    save_checkpoint(context_.folder, saved_, tensors(), info);
  }

  void resume() {
    const auto files =
        context_.folder.empty() ? std::vector<CheckpointFile>{} : list_checkpoints(context_.folder);
    if (files.empty()) return;
    const auto& path = files.front().path;
    const auto info = read_checkpoint_info(path);
    const auto saved = info.value("run", Json::object()), now = fingerprint();
    for (const auto& [key, value] : now.items())
      if (!saved.contains(key) || saved[key] != value)
        fail(ErrorKind::value, path,
             fmt::format("is of a run with another {}: {}, now {}; use another run folder, or delete the "
                         "checkpoints to start afresh",
                         key == "rng" ? "seed" : key, saved.contains(key) ? saved[key].dump() : "none",
                         value.dump()));
    load_checkpoint(path, tensors());
    result_.steps = result_.resumed_from = saved_ = info.at("steps").get<int64_t>();
    evaluated_ = info.at("evaluated").get<int64_t>();
    learning_.restore(info.at("learning").get<std::string>());
    experience_.restore(info.at("experience"));
    if (context_.load_state && info.contains("state")) context_.load_state(info["state"]);
  }

  Experience& experience_;
  ControlLearner& learner_;
  const ControlLoopOptions& options_;
  ControlContext& context_;
  Rng learning_;
  ControlResult result_;
  int64_t saved_ = 0, evaluated_ = 0;
};

}  // namespace

ControlResult train_control(Experience& experience, ControlLearner& learner,
                            const ControlLoopOptions& options, ControlContext& context) {
  return ControlRun(experience, learner, options, context).run();
}

}  // namespace plaudit
