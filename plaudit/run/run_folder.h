// The folder of one run:
//
//   recipe.yaml          the resolved recipe: `plaudit run` of it repeats the run
//   versions.json        what ran it: versions, processor, threads
//   metrics.jsonl        and events.out.tfevents.plaudit, core/metrics.h
//   stages/02-train/     one folder per stage: artefacts, checkpoints; done.json once the stage is finished
//   report.html          written after each stage
//   summary.json         the numbers, run/summary.h; there once the run has ended
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/distributed.h"
#include "plaudit/core/file_lock.h"
#include "plaudit/run/recipe.h"

namespace plaudit {

class RunFolder {
 public:
  // Opens `path` for a run of `recipe`, or a new folder runs/<name>-<date>-<n> when it is "". A folder that
  // holds a run continues it. UserErrors: another process works in it; it holds something else; its recipe
  // differs (names the value). All ranks call it and get the same folder.
  RunFolder(const Recipe& recipe, const std::string& path, Distributed& ranks);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::string& path() const { return path_; }
  bool continues() const { return continues_; }

  // What `finish` was given for that stage, when it is finished.
  std::optional<Json> finished(const std::string& stage_id) const;
  // Marks a stage as finished, at once.
  void finish(const std::string& stage_id, const Json& result) const;

 private:
  void open(const Recipe& recipe, const std::string& path);
  void lock();
  void compare(const Recipe& recipe) const;

  std::string path_;
  bool continues_ = false;
  std::optional<FileLock> lock_;
};

// The recipe of the run in `folder`; UserError (io) when it holds none.
Recipe load_run_recipe(const std::string& folder);

}  // namespace plaudit
