#include "plaudit/run/recipe_change.h"

#include <fmt/format.h>

#include <algorithm>

namespace plaudit {
namespace {

// The value of a change without the position that it has on the command line, which would read as a line of
// the recipe in messages.
YAML::Node without_marks(const YAML::Node& node) {
  if (node.IsScalar()) return YAML::Node(node.Scalar());
  YAML::Node out(node.Type());
  if (node.IsSequence())
    for (const auto& element : node) out.push_back(without_marks(element));
  if (node.IsMap())
    for (const auto& entry : node) out[entry.first.Scalar()] = without_marks(entry.second);
  return out;
}

YAML::Node parse_value(const std::string& key, const std::string& text) {
  try {
    return without_marks(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    fail(ErrorKind::type, key, "'" + text + "' is not a YAML value: " + error.msg);
  }
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end; (end = text.find(separator, begin)) != std::string::npos; begin = end + 1)
    parts.push_back(text.substr(begin, end - begin));
  parts.push_back(text.substr(begin));
  return parts;
}

// A stage in a (nested) list, found by its kind or name.
struct Found {
  std::string path;    // "stages.3"
  YAML::Node element;  // the list entry
  std::string kind;
};

void find_stages(YAML::Node list, const std::string& path, const std::string& wanted,
                 std::vector<Found>& found, std::vector<std::string>& known) {
  for (size_t i = 0; i < list.size(); ++i) {
    const auto here = fmt::format("{}.{}", path, i);
    if (list[i].IsScalar() && list[i].Scalar() == wanted) {
      // `- evaluate` is short for `- evaluate: {}`, which can hold options.
      YAML::Node entry(YAML::NodeType::Map);
      entry[wanted] = YAML::Node(YAML::NodeType::Map);
      list[i] = entry;
    }
    if (list[i].IsScalar()) known.push_back(list[i].Scalar());
    if (!list[i].IsMap()) continue;
    for (const auto& entry : list[i]) {
      const auto key = entry.first.Scalar();
      const bool is_name = key == "name" && entry.second.IsScalar();
      known.push_back(is_name ? entry.second.Scalar() : key);
      if (known.back() == wanted) found.push_back({here, list[i], is_name ? "" : key});
      if (key != "repeat" || !entry.second.IsMap()) continue;
      const YAML::Node inner = entry.second["stages"];
      if (inner && inner.IsSequence()) find_stages(inner, here + ".repeat.stages", wanted, found, known);
    }
  }
}

// The options of the one stage of that kind or name.
YAML::Node stage_options(const YAML::Node& list, const std::string& path, const std::string& wanted) {
  std::vector<Found> found;
  std::vector<std::string> known;
  find_stages(list, path, wanted, found, known);
  if (found.empty())
    fail(ErrorKind::value, path, "there is no stage '" + wanted + "'" + suggestion(wanted, known));
  if (found.size() > 1) {
    std::string places;
    for (const auto& f : found) places += (places.empty() ? "" : ", ") + f.path;
    fail(ErrorKind::value, path, "'" + wanted + "' stands for several stages: say which of " + places);
  }
  YAML::Node element = found[0].element;
  auto kind = found[0].kind;
  for (const auto& entry : element)
    if (kind.empty() && entry.first.Scalar() != "name") kind = entry.first.Scalar();
  return element[kind];
}

bool is_index(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

YAML::Node element_of(YAML::Node list, const std::string& path, const std::string& part) {
  if (!is_index(part)) return stage_options(list, path, part);
  const auto index = part.size() > 9 ? list.size() : std::stoul(part);
  if (index >= list.size())
    fail(ErrorKind::value, path,
         fmt::format("has {} elements, counted from 0: there is no {}", list.size(), part));
  return list[index];
}

}  // namespace

void apply_change(YAML::Node root, ParameterValues& parameters, const std::vector<std::string>& top_keys,
                  const std::string& change) {
  const auto equals = change.find('=');
  if (equals == std::string::npos || equals == 0)
    fail(ErrorKind::value, change, "must be key=value, e.g. seed=1");
  const auto key = change.substr(0, equals);
  const auto value = parse_value(key, change.substr(equals + 1));
  if (const auto found = parameters.find(key); found != parameters.end()) {
    found->second.emplace(value);
    return;
  }
  const auto parts = split(key, '.');
  if (std::find(top_keys.begin(), top_keys.end(), parts[0]) == top_keys.end()) {
    auto known = top_keys;
    for (const auto& [name, parameter] : parameters) known.push_back(name);
    fail(ErrorKind::value, key,
         "there is no key '" + parts[0] + "' in this recipe" + suggestion(parts[0], known));
  }
  YAML::Node node = root;
  std::string path;
  for (size_t i = 0; i < parts.size(); ++i) {
    // reset(), not assignment: assigning to a node changes the tree.
    if (node.IsSequence())
      node.reset(element_of(node, path, parts[i]));
    else if (!node.IsDefined() || node.IsMap() || node.IsNull())
      node.reset(node[parts[i]]);
    else
      fail(ErrorKind::type, key, path + " is '" + node.Scalar() + "', which has no parts");
    path += (path.empty() ? "" : ".") + parts[i];
  }
  node = value;
}

}  // namespace plaudit
