// Runs a recipe: stage by stage, each finished stage a point to resume from.
#pragma once

#include <memory>
#include <string>

#include "plaudit/run/recipe.h"

namespace plaudit {

struct RunResult {
  std::string folder;
  Json summary;  // as summary.json, run/summary.h
};

// Runs the stages of `recipe` that are not finished in the run folder `out` ("": a new one,
// run/run_folder.h).
//
// After each stage its artefacts are saved, then it is marked as finished, then report.html is written with
// what is known by then; summary.json comes at the end of the run. A process that is killed at any instant
// loses at most the work of one stage since its last checkpoint. Throws InterruptedError, with the command
// that goes on, when the user pressed Ctrl-C; a UserError of a stage comes with its place in the recipe and
// that command.
RunResult run_recipe(const Recipe& recipe, const std::string& out, std::shared_ptr<Distributed> ranks);

// The table that `plaudit run` prints: one metric a line, with its interval.
std::string summary_text(const Json& summary);

}  // namespace plaudit
