// Runs a recipe in a run folder:
//
//   recipe.json        the resolved recipe        metrics.jsonl   one line per step
//   state.json         finished stages            summary.json    the figures
//   stages/01-sample/  artefacts, checkpoints     report.html     plots, tables, samples
//
// A run that was killed continues at its first unfinished stage, and inside a training stage at its last
// checkpoint.
#pragma once

#include <string>

#include "plaudit/run/recipe.h"

namespace plaudit::run {

struct RunOptions {
  std::string folder;  // "": runs/<recipe>-<n>
  bool quiet = false;
};

struct RunResult {
  std::string folder;
  Json summary;  // {"recipe", "metrics", "seconds", "peak_mib", "rejected"}
};

// Runs all unfinished stages. UserError when the folder holds a run of another recipe; Interrupted after
// Ctrl-C.
RunResult run_recipe(const Recipe& recipe, const RunOptions& options = {});

// What a folder needs to be resumed: the recipe file and settings that made it.
struct RunOrigin {
  std::string recipe;
  std::vector<std::string> settings;
};
void save_origin(const std::string& folder, const RunOrigin& origin);
RunOrigin load_origin(const std::string& folder);

// A new folder name below runs/ for a recipe file.
std::string new_run_folder(const std::string& recipe_file);

}  // namespace plaudit::run
