#include "plaudit/run/recipe.h"

#include <fmt/format.h>

#include <algorithm>

namespace plaudit::run {
namespace {

// A declared parameter: its value as YAML, or none.
using Parameters = std::map<std::string, YAML::Node>;

const std::vector<std::string> top_keys = {"title", "seed", "device", "parameters", "stages"};

YAML::Node load_yaml(const std::string& file) {
  try {
    return YAML::LoadFile(file);
  } catch (const YAML::BadFile&) {
    fail(ErrorKind::io, file, "cannot be opened");
  } catch (const YAML::ParserException& error) {
    fail(ErrorKind::type, fmt::format("{}:{}", file, error.mark.line + 1), "is not valid YAML: " + error.msg);
  }
}

YAML::Node parse_value(const std::string& text, const std::string& where) {
  try {
    return YAML::Load(text);
  } catch (const YAML::ParserException& error) {
    fail(ErrorKind::type, where, "'" + text + "' is not a valid value: " + error.msg);
  }
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

// Sets a dotted path; a list is entered by index, and "stages.2.train" names the kind for readers.
void set_path(YAML::Node root, const std::string& path, const YAML::Node& value, const std::string& word) {
  const auto parts = split(path, '.');
  YAML::Node node = root;
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    if (node.IsSequence()) {
      const bool digits = !parts[i].empty() && std::all_of(parts[i].begin(), parts[i].end(), ::isdigit);
      if (!digits || std::stoull(parts[i]) >= node.size())
        fail(ErrorKind::value, word, fmt::format("'{}' must be an index below {}", parts[i], node.size()));
      const auto index = static_cast<size_t>(std::stoull(parts[i]));
      if (last)
        node[index] = value;
      else
        node.reset(node[index]);
      continue;
    }
    if (!node.IsMap())
      fail(ErrorKind::value, word, "'" + parts[i] + "' is below something that is not a map");
    if (last)
      node[parts[i]] = value;
    else if (node[parts[i]])
      node.reset(node[parts[i]]);
    else
      fail(ErrorKind::value, word, "there is no '" + parts[i] + "' in the recipe");
  }
}

Parameters read_parameters(const YAML::Node& root, const std::string& file) {
  Parameters parameters;
  const auto node = root["parameters"];
  if (!node) return parameters;
  const Place place{file, "parameters"};
  if (!node.IsMap()) refuse(place, node, ErrorKind::type, "must be a map of name: {default, doc}");
  for (const auto& entry : node) {
    const auto name = entry.first.Scalar();
    plaudit::detail::check_map(entry.second, place.key(name), {"default", "doc"});
    const auto value = entry.second["default"];
    parameters.emplace(name, value ? YAML::Clone(value) : YAML::Node(YAML::NodeType::Null));
  }
  return parameters;
}

void apply_settings(const YAML::Node& root, Parameters& parameters,
                    const std::vector<std::string>& settings) {
  std::vector<std::string> known(top_keys);
  for (const auto& [name, value] : parameters) known.push_back(name);
  for (const auto& word : settings) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      fail(ErrorKind::value, "setting", "expected key=value, got '" + word + "'");
    const auto key = word.substr(0, equals);
    const auto value = parse_value(word.substr(equals + 1), word);
    const auto head = key.substr(0, key.find('.'));
    if (parameters.count(key))
      parameters[key] = value;
    else if (std::find(top_keys.begin(), top_keys.end(), head) != top_keys.end())
      set_path(root, key, value, word);
    else
      fail(ErrorKind::value, word, "the recipe has no parameter '" + key + "'" + suggestion(key, known));
  }
}

// Replaces "${name}" in every scalar. A scalar that is one reference takes the parameter's value as it is.
YAML::Node substitute(const YAML::Node& node, const Parameters& parameters, const Place& place) {
  const auto lookup = [&](const std::string& name) -> const YAML::Node& {
    const auto found = parameters.find(name);
    std::vector<std::string> names;
    for (const auto& [key, value] : parameters) names.push_back(key);
    if (found == parameters.end())
      refuse(place, node, ErrorKind::value, "there is no parameter '" + name + "'" + suggestion(name, names));
    if (found->second.IsNull())
      refuse(place, node, ErrorKind::value,
             fmt::format("needs the parameter '{}': add {}=VALUE to the command", name, name));
    return found->second;
  };
  if (node.IsScalar()) {
    std::string text = node.Scalar();
    if (text.find("${") == std::string::npos) return node;
    if (text.rfind("${", 0) == 0 && text.find('}') == text.size() - 1)
      return YAML::Clone(lookup(text.substr(2, text.size() - 3)));
    for (size_t begin = text.find("${"); begin != std::string::npos; begin = text.find("${")) {
      const auto end = text.find('}', begin);
      if (end == std::string::npos)
        refuse(place, node, ErrorKind::value, "'${' without '}' in '" + text + "'");
      text.replace(begin, end - begin + 1, lookup(text.substr(begin + 2, end - begin - 2)).Scalar());
    }
    return YAML::Node(text);
  }
  YAML::Node out = node;
  if (node.IsSequence()) {
    for (size_t i = 0; i < node.size(); ++i) out[i] = substitute(node[i], parameters, place.index(i));
  } else if (node.IsMap()) {
    for (const auto& entry : node) {
      const auto key = entry.first.Scalar();
      out[key] = substitute(entry.second, parameters, place.key(key));
    }
  }
  return out;
}

class Planner {
 public:
  explicit Planner(std::vector<PlannedStage>& out) : out_(out) {}

  void plan(const YAML::Node& list, const Place& place, const std::string& round) {
    if (!list || !list.IsSequence() || list.size() == 0)
      refuse(place, list ? list : YAML::Node(), ErrorKind::type, "must be a list of stages");
    for (size_t i = 0; i < list.size(); ++i) plan_one(list[i], place.index(i), round);
  }

 private:
  void plan_one(const YAML::Node& node, const Place& place, const std::string& round) {
    if (!node.IsMap() || node.size() != 1)
      refuse(place, node, ErrorKind::type, "must be one stage: a map {kind: {options}}");
    const auto name = node.begin()->first.Scalar();
    const auto options = node.begin()->second;
    if (name == "repeat") return plan_repeat(options, place.key(name), round);
    std::vector<std::string> names = {"repeat"};
    for (const auto& kind : stage_kinds()) {
      names.push_back(kind.name);
      if (kind.name != name) continue;
      const auto label = fmt::format("{:02}-{}{}", out_.size() + 1, name, round);
      out_.push_back({label, &kind, kind.make(options, place.key(name))});
      return;
    }
    refuse(place.key(name), node, ErrorKind::value,
           "there is no stage '" + name + "'" + suggestion(name, names));
  }

  void plan_repeat(const YAML::Node& node, const Place& place, const std::string& round) {
    plaudit::detail::check_map(node, place, {"times", "stages"});
    const int64_t times =
        node["times"] ? plaudit::detail::read_int(node["times"], place.key("times"), between(1, 1000)) : 1;
    for (int64_t i = 1; i <= times; ++i)
      plan(node["stages"], place.key("stages"), fmt::format("{}.{}", round, i));
  }

  std::vector<PlannedStage>& out_;
};

}  // namespace

Recipe load_recipe(const std::string& file, const std::vector<std::string>& settings) {
  YAML::Node root = load_yaml(file);
  const Place place{file, ""};
  plaudit::detail::check_map(root, place, top_keys);
  auto parameters = read_parameters(root, file);
  apply_settings(root, parameters, settings);
  root.remove("parameters");
  root = substitute(root, parameters, place);

  Recipe recipe;
  recipe.file = file;
  if (root["title"]) recipe.title = plaudit::detail::read_text(root["title"], place.key("title"), {});
  if (root["seed"])
    recipe.seed =
        static_cast<uint64_t>(plaudit::detail::read_int(root["seed"], place.key("seed"), at_least(0)));
  if (root["device"])
    recipe.device =
        plaudit::detail::read_text(root["device"], place.key("device"), one_of({"auto", "cpu", "cuda"}));
  Planner(recipe.stages).plan(root["stages"], place.key("stages"), "");
  return recipe;
}

Json Recipe::resolved() const {
  Json list = Json::array();
  for (const auto& planned : stages) list.push_back({{planned.kind->name, planned.stage->options()}});
  return {{"title", title}, {"seed", seed}, {"device", device}, {"stages", list}};
}

}  // namespace plaudit::run
