// `plaudit show` of what recipes are made of.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/options.h"

namespace plaudit::cli {

// Prints the recipe, run folder, stage, section, judge or loss of that name, and returns what it printed as
// JSON; nothing when the name is none of these.
std::optional<Json> show_part_of_recipes(const std::string& name);

// ", did you mean 'train'?" when a stage, section, judge or loss has a name like this one, else "".
std::string nearest_part_of_recipes(const std::string& name);

}  // namespace plaudit::cli
