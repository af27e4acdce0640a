// Changes of a recipe from the command line.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/core/options.h"

namespace plaudit {

// Values of parameters; empty where the command line must give one.
using ParameterValues = std::map<std::string, std::optional<YAML::Node>>;

// Applies one "key=value" to the tree of a recipe: a parameter of `parameters`, or a path of dots whose first
// part is one of `top_keys` (the rules are in run/recipe.h). UserErrors name the part that does not fit.
void apply_change(YAML::Node root, ParameterValues& parameters, const std::vector<std::string>& top_keys,
                  const std::string& change);

}  // namespace plaudit
