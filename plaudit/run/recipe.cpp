#include "plaudit/run/recipe.h"

#include <fmt/format.h>

#include <filesystem>

#include "plaudit/core/yaml.h"
#include "plaudit/run/recipe_change.h"

namespace plaudit {
namespace {

// The keys of every recipe that are single values.
struct RecipeHead {
  std::string doc;
  std::string name;
  int64_t seed = 0;
  std::string device = "auto";
};

const std::vector<std::string> head_keys = {"doc", "name", "seed", "device"};

}  // namespace

template <>
void describe(OptionTable<RecipeHead>& t) {
  t.field("doc", &RecipeHead::doc, "what the recipe does, in one sentence");
  t.field("name", &RecipeHead::name, "names the run folder; the file's name when empty");
  t.field("seed", &RecipeHead::seed, "of every random stream", at_least(0));
  t.field("device", &RecipeHead::device, "where tensors live; auto: cuda when there is one",
          one_of({"auto", "cpu", "cuda"}));
}

namespace {

std::vector<std::string> top_keys() {
  auto keys = head_keys;
  for (const auto& section : sections()) keys.push_back(section.name);
  keys.push_back("stages");
  return keys;
}

YAML::Node head_of(const YAML::Node& root) {
  YAML::Node head(YAML::NodeType::Map);
  for (const auto& key : head_keys)
    if (root[key]) head[key] = root[key];
  return head;
}

std::string stem_of(const std::string& path) {
  return std::filesystem::path(path).stem().string();
}

// Applies the changes and puts parameters in place.
void resolve_parameters(YAML::Node root, const Place& place, const std::vector<std::string>& changes) {
  const auto declared = read_parameters(root["parameters"], place.key("parameters"), top_keys());
  ParameterValues values;
  for (const auto& parameter : declared) values[parameter.name] = parameter.default_value;
  for (const auto& change : changes) apply_change(root, values, top_keys(), change);
  root.remove("parameters");
  replace_parameters(root, place, declared, values);
}

}  // namespace

namespace {

Recipe checked(YAML::Node root, const std::string& path, const std::vector<std::string>& changes) {
  const Place place{path, ""};
  auto keys = top_keys();
  keys.push_back("parameters");
  detail::check_map(root, place, keys);
  resolve_parameters(root, place, changes);

  const auto head = read_options<RecipeHead>(head_of(root), place);
  Recipe recipe;
  recipe.path = path;
  recipe.name = head.name.empty() ? stem_of(path) : head.name;
  recipe.doc = head.doc;
  recipe.seed = head.seed;
  recipe.device = head.device;
  recipe.resolved = {{"doc", head.doc}, {"name", recipe.name}, {"seed", head.seed}, {"device", head.device}};
  for (const auto& section : sections()) {
    if (!root[section.name]) continue;
    const auto bound = section.bind(root[section.name], place.key(section.name));
    recipe.resolved[section.name] = bound.options;
    recipe.sections.emplace(section.name, bound);
  }
  recipe.resolved["stages"] = plan_stages(root["stages"], place.key("stages"), recipe.stages);
  check_flow(recipe.stages, recipe.sections);
  for (const auto& [name, section] : recipe.sections) {
    try {
      section.check();
    } catch (const UserError& error) {
      throw UserError(error.kind(), fmt::format("{}: {}.{}", path, name, message_of(error)));
    }
  }
  check_stages(recipe.stages);
  return recipe;
}

}  // namespace

Recipe load_recipe(const std::string& path, const std::vector<std::string>& changes) {
  return checked(load_yaml(path), path, changes);
}

Recipe load_recipe_text(const std::string& text, const std::string& path,
                        const std::vector<std::string>& changes) {
  return checked(parse_yaml(text, path), path, changes);
}

RecipeOutline outline_recipe(const std::string& path) {
  const YAML::Node root = load_yaml(path);
  const Place place{path, ""};
  const auto head = read_options<RecipeHead>(head_of(root), place);
  RecipeOutline outline;
  outline.name = head.name.empty() ? stem_of(path) : head.name;
  outline.doc = head.doc;
  outline.parameters = read_parameters(root["parameters"], place.key("parameters"), top_keys());
  for (const auto& entry : root["stages"]) {
    if (entry.IsScalar()) outline.stages.push_back(entry.Scalar());
    if (!entry.IsMap()) continue;
    for (const auto& item : entry)
      if (item.first.Scalar() != "name") outline.stages.push_back(item.first.Scalar());
  }
  return outline;
}

std::vector<FieldInfo> recipe_fields() {
  return option_table<RecipeHead>().fields();
}

std::string first_difference(const Json& before, const Json& now, const std::string& path) {
  if (before == now) return "";
  if (before.is_object() && now.is_object()) {
    for (const auto& [key, value] : now.items()) {
      const auto here = path.empty() ? key : path + "." + key;
      if (!before.contains(key)) return fmt::format("{} was not there, now {}", here, value.dump());
      if (auto difference = first_difference(before[key], value, here); !difference.empty())
        return difference;
    }
    for (const auto& [key, value] : before.items()) {
      const auto here = path.empty() ? key : path + "." + key;
      if (!now.contains(key)) return fmt::format("{} was {}, now it is not there", here, value.dump());
    }
    return "";  // the same values in another order
  }
  if (before.is_array() && now.is_array()) {
    if (before.size() != now.size())
      return fmt::format("{} had {} elements, now {}", path, before.size(), now.size());
    for (size_t i = 0; i < now.size(); ++i) {
      if (auto difference = first_difference(before[i], now[i], fmt::format("{}[{}]", path, i));
          !difference.empty())
        return difference;
    }
    return "";
  }
  return fmt::format("{} was {}, now {}", path, before.dump(), now.dump());
}

}  // namespace plaudit
