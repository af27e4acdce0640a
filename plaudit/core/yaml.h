// YAML files in, YAML text out.
#pragma once

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <string>

namespace plaudit {

using Json = nlohmann::ordered_json;

// The tree of a file; UserErrors for a file that cannot be read (io) or is not a YAML map (type), with its
// line.
YAML::Node load_yaml(const std::string& path);

// The same for text that was read elsewhere; `path` is what errors call it.
YAML::Node parse_yaml(const std::string& text, const std::string& path);

// JSON as YAML that reads back as the same values: maps as blocks, lists of plain values on one line.
std::string yaml_text(const Json& value);

}  // namespace plaudit
