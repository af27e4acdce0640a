// Recipes: YAML files that list stages. Everything is checked before any work; every mistake is a UserError
// that starts with file, line and key and names the nearest valid key.
//
//   doc: DPO on your own pairs.
//   seed: 0                     # of every random stream
//   device: auto                # auto, cpu, cuda
//   parameters:                 # set on the command line: data=pairs.jsonl
//     data: {doc: a file of preference pairs}                 # without a default: must be given
//     model: {doc: the model to start from, default: smollm2-135m}
//   policy: {model: "${model}"} # a section: PLAUDIT_SECTION
//   stages:
//     - read: {data: "${data}"}
//     - train: {objective: dpo}
//       name: warm-up           # optional: names the stage's folder and prefixes its metrics
//     - repeat: {times: 3, stages: [sample, label, train]}
//
// A change from the command line is `key=value`, the value being YAML. The key is a parameter, or a path of
// dots to any value: policy.model=..., stages.1.train.beta=0.2. In a list of stages a kind or name that
// occurs once stands for the options of that stage: stages.train.beta=0.2.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/run/recipe_parameters.h"
#include "plaudit/run/recipe_plan.h"

namespace plaudit {

struct Recipe {
  std::string path, name, doc;
  int64_t seed = 0;
  std::string device = "auto";
  std::map<std::string, BoundSection> sections;
  std::vector<PlannedStage> stages;
  Json resolved;  // all values, defaults filled in, parameters replaced
};

// Reads, changes and checks a recipe.
Recipe load_recipe(const std::string& path, const std::vector<std::string>& changes = {});

// The same from YAML text; `path` stands in messages and names the run.
Recipe load_recipe_text(const std::string& text, const std::string& path,
                        const std::vector<std::string>& changes = {});

// What a recipe says of itself, without checking it further; for lists of recipes.
struct RecipeOutline {
  std::string name, doc;
  std::vector<RecipeParameter> parameters;
  std::vector<std::string> stages;  // kinds in order, repeats as "repeat"
};
RecipeOutline outline_recipe(const std::string& path);

// The top-level keys of every recipe, besides sections and `stages`.
std::vector<FieldInfo> recipe_fields();

// "stages[1].train.beta was 0.1, now 0.2" for the first value that differs, "" when none does.
std::string first_difference(const Json& before, const Json& now, const std::string& path = "");

}  // namespace plaudit
