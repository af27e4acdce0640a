#include "plaudit/run/recipe_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <regex>

namespace plaudit {
namespace {

// Replaces every ${name} of a text; a part of a text must be text itself.
std::string replaced_text(const YAML::Node& node, const Place& place,
                          const std::function<YAML::Node(const std::string&)>& value_of) {
  static const std::regex reference(R"(\$\{([A-Za-z_][A-Za-z0-9_]*)\})");
  const auto text = node.Scalar();
  std::string out;
  auto rest = text.cbegin();
  for (std::sregex_iterator it(text.begin(), text.end(), reference), end; it != end; ++it) {
    const auto value = value_of((*it)[1]);
    if (!value.IsScalar())
      refuse(place, node, ErrorKind::type,
             "parameter '" + (*it)[1].str() + "' is not text, and stands inside of one");
    out.append(rest, (*it)[0].first).append(value.Scalar());
    rest = (*it)[0].second;
  }
  return out.append(rest, text.cend());
}

std::string whole_reference(const std::string& text) {
  static const std::regex whole(R"(\$\{([A-Za-z_][A-Za-z0-9_]*)\})");
  std::smatch match;
  return std::regex_match(text, match, whole) ? match[1].str() : "";
}

class ParameterReplacer {
 public:
  ParameterReplacer(const std::vector<RecipeParameter>& declared, const ParameterValues& values)
      : declared_(declared), values_(values) {}

  // The node to put in place of `node`, which is changed in place when it is a list or a map.
  YAML::Node replaced(YAML::Node node, const Place& place) const {
    if (node.IsSequence()) {
      for (size_t i = 0; i < node.size(); ++i) node[i] = replaced(node[i], place.index(i));
    } else if (node.IsMap()) {
      for (auto entry : node) entry.second = replaced(entry.second, place.key(entry.first.Scalar()));
    } else if (node.IsScalar() && node.Scalar().find("${") != std::string::npos) {
      const auto value_of = [&](const std::string& name) { return value(name, node, place); };
      if (const auto name = whole_reference(node.Scalar()); !name.empty()) return value_of(name);
      return YAML::Node(replaced_text(node, place, value_of));
    }
    return node;
  }

 private:
  YAML::Node value(const std::string& name, const YAML::Node& node, const Place& place) const {
    std::vector<std::string> known;
    for (const auto& parameter : declared_) {
      known.push_back(parameter.name);
      if (parameter.name != name) continue;
      if (const auto& value = values_.at(name)) return *value;
      refuse(place, node, ErrorKind::value,
             fmt::format("needs {} ({}): add {}=... to the command", name, parameter.doc, name));
    }
    refuse(place, node, ErrorKind::value,
           "there is no parameter '" + name + "'" +
               (known.empty() ? "; the recipe declares none" : suggestion(name, known)));
  }

  const std::vector<RecipeParameter>& declared_;
  const ParameterValues& values_;
};

}  // namespace

std::vector<RecipeParameter> read_parameters(const YAML::Node& node, const Place& place,
                                             const std::vector<std::string>& reserved) {
  std::vector<RecipeParameter> out;
  if (!node || node.IsNull()) return out;
  if (!node.IsMap()) refuse(place, node, ErrorKind::type, "must be a map");
  for (const auto& entry : node) {
    RecipeParameter parameter{entry.first.Scalar(), "", std::nullopt};
    const auto here = place.key(parameter.name);
    if (std::find(reserved.begin(), reserved.end(), parameter.name) != reserved.end())
      refuse(here, entry.first, ErrorKind::value, "is a key of every recipe, and cannot name a parameter");
    detail::check_map(entry.second, here, {"doc", "default"});
    if (entry.second["doc"]) parameter.doc = detail::read_text(entry.second["doc"], here.key("doc"), {});
    if (entry.second["default"]) parameter.default_value.emplace(entry.second["default"]);
    out.push_back(std::move(parameter));
  }
  return out;
}

void replace_parameters(YAML::Node node, const Place& place, const std::vector<RecipeParameter>& declared,
                        const ParameterValues& values) {
  ParameterReplacer(declared, values).replaced(node, place);
}

}  // namespace plaudit
