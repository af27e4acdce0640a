// Recipes: what a user runs, as data.
//
//   title: Align a small model to a judge        (optional)
//   seed: 0
//   device: auto                                 auto, cpu, cuda
//   parameters:                                  (optional) what a user may set as key=value
//     model: {default: smollm2-135m, doc: the model to start from}
//   stages:
//     - sample: {model: "${model}", per_prompt: 4}
//     - repeat: {times: 2, stages: [ ... ]}      unrolled, so that every finished stage is a resume point
//
// Everything is checked before any work: an unknown key, a wrong type or a value out of range is a UserError
// that starts with file and line and names the nearest valid key.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/run/stage.h"

namespace plaudit::run {

struct PlannedStage {
  std::string label;  // "02-train", within a repeat "02-train.3"
  const StageKind* kind = nullptr;
  std::unique_ptr<Stage> stage;
};

struct Recipe {
  std::string file;
  std::string title;
  uint64_t seed = 0;
  std::string device = "auto";
  std::vector<PlannedStage> stages;

  // The recipe with every default filled in; what a run folder keeps and a resume compares.
  Json resolved() const;
};

// Reads and checks a recipe. `settings` are "key=value" words: a declared parameter, or a dotted path into
// the recipe
// (`seed=1`, `stages.2.train.beta=0.2`).
Recipe load_recipe(const std::string& file, const std::vector<std::string>& settings = {});

}  // namespace plaudit::run
