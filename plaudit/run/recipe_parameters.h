// Parameters of a recipe: values that it wants from the command line, referenced as ${name}.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plaudit/run/recipe_change.h"

namespace plaudit {

struct RecipeParameter {
  std::string name, doc;
  std::optional<YAML::Node> default_value;  // none: must be given
};

// What the `parameters` of a recipe declare; none when `node` is undefined. A name in `reserved` is refused.
std::vector<RecipeParameter> read_parameters(const YAML::Node& node, const Place& place,
                                             const std::vector<std::string>& reserved);

// Replaces ${name} in every text of the tree. A text that is nothing but ${name} becomes the parameter's
// value, whatever its type. UserErrors (value) for a name that was never declared or that has no value.
void replace_parameters(YAML::Node node, const Place& place, const std::vector<RecipeParameter>& declared,
                        const ParameterValues& values);

}  // namespace plaudit
