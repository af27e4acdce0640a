// What there is to choose from, as JSON: models, recipes, claims, runs, stages, sections, judges, losses.
// `plaudit list`, `plaudit show` and the page docs/recipes.md print it; all of it comes from the declarations
// that the program itself reads.
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/options.h"

namespace plaudit::cli {

// The kinds of things, in the order in which they are listed.
const std::vector<std::string>& catalogue_kinds();

// The things of one kind, sorted; each has a "name" and a "doc". UserError (value): no such kind, with the
// nearest.
//   models    + "installed", "install"
//   recipes   + "path", "parameters": [{"name", "doc", "default"}], "stages": [kind]   (of the folder
//   ./recipes) claims    + "path" (of the folder ./claims) runs      + "path", "finished", "seconds" (of the
//   folder ./runs) stages    + "reads", "writes", "options": [option] sections  + "options" judges    +
//   "options": [key] losses    + "options": [key], "needs_reference"
Json catalogue(const std::string& kind);

// One recipe, as `catalogue("recipes")` has them.
Json describe_recipe(const std::string& path);

// [{"key", "type", "default", "constraint", "doc", "options": [...]}]
Json describe_options(const std::vector<FieldInfo>& fields);

}  // namespace plaudit::cli
