#include "plaudit/core/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <regex>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"

namespace plaudit {
namespace {

bool plain_text(const std::string& text) {
  static const std::regex safe(R"([A-Za-z/_][A-Za-z0-9/_.@+ -]*[A-Za-z0-9/_@+])");
  static const std::vector<std::string> words = {"null", "true", "false", "yes", "no",
                                                 "on",   "off",  "nan",   "inf"};
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::regex_match(text, safe) && std::find(words.begin(), words.end(), lower) == words.end();
}

std::string flow_text(const Json& value) {
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    return plain_text(text) ? text : value.dump();
  }
  if (!value.is_structured()) return value.dump();
  std::string out;
  for (const auto& [key, element] : value.items())
    out += (out.empty() ? "" : ", ") + (value.is_object() ? key + ": " : "") + flow_text(element);
  return value.is_object() ? "{" + out + "}" : "[" + out + "]";
}

bool has_structure(const Json& value) {
  return std::any_of(value.begin(), value.end(),
                     [](const Json& v) { return v.is_structured() && !v.empty(); });
}

// `value` below a key or dash at `indent`; starts with a space or a new line.
std::string block_text(const Json& value, size_t indent) {
  const std::string margin(indent, ' ');
  std::string out = "\n";
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, element] : value.items())
      out += margin + key + ":" + block_text(element, indent + 2);
    return out;
  }
  if (value.is_array() && has_structure(value)) {
    for (const auto& element : value) {
      // The first line of the element stands behind its dash.
      const auto text = block_text(element, indent + 2);
      out += margin + "- " + text.substr(text[0] == '\n' ? indent + 3 : 1);
    }
    return out;
  }
  return " " + flow_text(value) + "\n";
}

}  // namespace

YAML::Node load_yaml(const std::string& path) {
  return parse_yaml(read_file(path), path);
}

YAML::Node parse_yaml(const std::string& text, const std::string& path) {
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::ParserException& error) {
    fail(ErrorKind::type, fmt::format("{}:{}", path, error.mark.line + 1), "is not YAML: " + error.msg);
  }
  if (!root.IsMap()) fail(ErrorKind::type, path, "must be a map of keys, such as `stages`");
  return root;
}

std::string yaml_text(const Json& value) {
  const auto text = block_text(value, 0);
  return text.substr(1);
}

}  // namespace plaudit
