// What surrounds a running stage: artefacts, random streams, metrics, report, progress.
#pragma once

#include <any>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/core/call.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/rng.h"
#include "plaudit/eval/interval.h"
#include "plaudit/run/report.h"

namespace plaudit::run {

// How a type of artefact is written into a folder and read back. Specialise beside the type's stage:
//   static void save(const T& value, const std::string& folder);
//   static T load(const std::string& folder);
template <class T>
struct ArtefactIo;

class RunContext {
 public:
  // `folder` exists. `quiet` suppresses progress.
  RunContext(std::string folder, uint64_t seed, std::string device, bool quiet);

  const std::string& folder() const { return folder_; }
  // The folder of the stage that runs now; made on first use.
  std::string stage_folder() const;
  const std::string& stage_label() const { return label_; }
  at::Device device() const { return device_; }
  uint64_t seed() const { return seed_; }
  // The stream of this stage and purpose; another stage or purpose never shifts it.
  Rng rng(const std::string& purpose) const;

  // Stores an artefact under a name and in the stage's folder. A later one of the same name replaces it.
  template <class T>
  void put(const std::string& name, T value);
  // UserError when no earlier stage made it.
  template <class T>
  const T& get(const std::string& name);
  bool has(const std::string& name) const { return artefacts_.count(name) > 0; }

  // One line of metrics.jsonl: {"stage", "step", "seconds", name: value, ...}.
  void log(int64_t step, const std::map<std::string, double>& values);
  // A figure of summary.json; `value` alone has no interval.
  void metric(const std::string& name, const eval::Interval& value);
  void metric(const std::string& name, double value, int64_t n = 1);
  // Records left out, by reason; part of summary.json.
  void rejected(const std::string& reason, int64_t count);
  Report& report() { return report_; }

  // Progress of the running stage: a line that updates itself on a terminal, else a line every few seconds.
  void progress(int64_t done, int64_t total, const std::string& what);
  // A line for the user.
  void say(const std::string& line);
  // Throws Interrupted once the user pressed Ctrl-C; call it where everything needed for a resume is saved.
  void stop_if_interrupted() const;

 private:
  friend class Runner;
  void begin_stage(const std::string& label);
  void end_progress();
  Json state() const;
  void restore(const Json& state);
  std::string artefact_folder(const std::string& name) const;
  void record_artefact(const std::string& name, std::any value);

  struct Artefact {
    std::string folder;
    std::any value;  // shared_ptr<T>, empty until loaded
  };

  std::string folder_, device_name_, label_;
  at::Device device_ = at::kCPU;
  uint64_t seed_ = 0;
  bool quiet_ = false, terminal_ = false;
  std::map<std::string, Artefact> artefacts_;
  Json metrics_ = Json::object(), rejected_ = Json::object();
  Report report_;
  double progress_start_ = 0, progress_shown_ = 0, stage_start_ = 0;
  int64_t progress_first_ = 0;
  bool progress_open_ = false;
};

template <class T>
void RunContext::put(const std::string& name, T value) {
  ArtefactIo<T>::save(value, artefact_folder(name));
  record_artefact(name, std::make_shared<T>(std::move(value)));
}

template <class T>
const T& RunContext::get(const std::string& name) {
  const auto found = artefacts_.find(name);
  if (found == artefacts_.end())
    fail(ErrorKind::value, label_,
         "needs the artefact '" + name + "', and no earlier stage of the recipe made it");
  auto& artefact = found->second;
  if (!artefact.value.has_value()) artefact.value = std::make_shared<T>(ArtefactIo<T>::load(artefact.folder));
  const auto* held = std::any_cast<std::shared_ptr<T>>(&artefact.value);
  if (!held)
    fail(ErrorKind::type, label_, "the artefact '" + name + "' is of another type than this stage needs");
  return **held;
}

}  // namespace plaudit::run
