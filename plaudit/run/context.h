// What a stage sees of its run: artefacts, random streams, folders, and where to say what happens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>

#include "plaudit/core/distributed.h"
#include "plaudit/core/options.h"
#include "plaudit/core/rng.h"
#include "plaudit/run/artefact.h"
#include "plaudit/run/report.h"
#include "plaudit/run/summary.h"

namespace plaudit {

class RunContext {
 public:
  struct Impl;  // the engine's side
  explicit RunContext(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  // The artefact of that name: written by an earlier stage, or made by a section of the recipe. A stage gets
  // only what it declares in `reads` (a bug otherwise). The reference is valid until the stage returns.
  template <class T>
  const T& get(const std::string& name) {
    return *static_cast<const T*>(find(name, typeid(T)).get());
  }
  // The same, to be changed in place; the stage must declare it in `writes`, too, and it is saved afterwards.
  template <class T>
  T& edit(const std::string& name) {
    return *static_cast<T*>(find_to_edit(name, typeid(T)).get());
  }
  // Whether an artefact that is declared as optional ("name?") is there.
  bool has(const std::string& name) const;
  // Hands an artefact to later stages; it must be declared in `writes`.
  template <class T>
  void put(const std::string& name, T value) {
    store(name, typeid(T), std::make_shared<T>(std::move(value)));
  }

  // The resolved recipe, as recipe.yaml in the run folder holds it.
  const Json& recipe() const;
  // The options of a section, e.g. section<PolicyOptions>("policy"); a bug when the recipe has none.
  template <class Options>
  const Options& section(const std::string& name) const {
    return *static_cast<const Options*>(section_options(name, typeid(Options)));
  }
  at::Device device() const;
  // A random stream of this stage; stages of other kinds, names and rounds have others. Adding a stage of
  // another kind to the recipe does not shift it. In the code that makes a section it is one of that section.
  Rng rng(std::string_view stream = "") const;
  // The round of the enclosing `repeat`, from 1; 0 outside of one.
  int64_t round() const;
  // "02-train"; inside of a repeat "03-repeat/2/00-sample".
  const std::string& id() const;
  // This stage's own folder; what it leaves there (checkpoints) is there again after a resume.
  std::string folder() const;
  std::string run_folder() const;

  // The processes of this run. Every rank runs every stage; only rank 0 writes metrics, report and artefacts.
  Distributed& ranks() const;

  // One line of metrics.jsonl and of the TensorBoard log. Steps do not decrease within a stage. After a
  // resume the first step logged replaces the lines of this stage from that step on.
  void log(int64_t step, const std::map<std::string, double>& values);
  // The line on the terminal: `done` of `total` (0: unknown) of `what`, with rate and time left.
  void progress(int64_t done, int64_t total, const std::string& what);
  // The same as a callback that stops, too: progress(), then throw_if_interrupted().
  std::function<void(int64_t done, int64_t total)> progress_of(const std::string& what);
  // True once the user pressed Ctrl-C: finish the step, save, then throw_if_interrupted().
  bool interrupted() const;
  // Throws InterruptedError; the stage starts again on resume, with its folder as it is.
  void throw_if_interrupted() const;

  // What this stage adds to summary.json and to report.html; kept when the run resumes after it.
  Summary& summary();
  Report& report();

 private:
  std::shared_ptr<void> find(const std::string& name, std::type_index type);
  std::shared_ptr<void> find_to_edit(const std::string& name, std::type_index type);
  void store(const std::string& name, std::type_index type, std::shared_ptr<void> value);
  const void* section_options(const std::string& name, std::type_index type) const;

  std::shared_ptr<Impl> impl_;
};

}  // namespace plaudit
