// Typed options: one declaration serves the recipe checker, `plaudit show`, the command-line help and the
// docs.
//
// Options are plain aggregates with defaults. Each type declares its fields once:
//
//   struct LoraOptions { int64_t rank = 16; double alpha = 32; };
//   template <> void describe(OptionTable<LoraOptions>& t) {
//     t.field("rank", &LoraOptions::rank, "rank of the update", at_least(1));
//     t.field("alpha", &LoraOptions::alpha, "scale; the update is multiplied by alpha/rank",
//     greater_than(0));
//   }
//
// Supported field types: bool, int64_t, double, std::string (optionally one_of({...})), std::vector of these,
// std::optional of these, and any other described aggregate (a nested map).
//
// Errors are UserErrors that start with "file:line: key" and name the value, what was expected and the
// nearest key.
#pragma once

#include <yaml-cpp/yaml.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "plaudit/core/errors.h"

namespace plaudit {

using Json = nlohmann::ordered_json;

// What a value must satisfy beyond its type.
struct Constraint {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false;
  bool open_high = false;
  std::vector<std::string> choices;

  // "" when unconstrained, else e.g. ">= 1", "in [0, 1)", "one of f32, bf16".
  std::string text() const;
};

Constraint at_least(double low);
Constraint greater_than(double low);
Constraint between(double low, double high);        // [low, high]
Constraint from_to_below(double low, double high);  // [low, high)
Constraint one_of(std::vector<std::string> choices);

// One field as documentation shows it.
struct FieldInfo {
  std::string key;
  std::string type;  // "int", "number", "text", "true/false", "list of number", "map"
  std::string default_value;
  std::string constraint;
  std::string doc;
  std::vector<FieldInfo> fields;  // of a nested map
};

// Where a YAML value stands, for messages.
struct Place {
  std::string file;
  std::string path;  // "stages[2].train.beta"
  Place key(const std::string& name) const { return {file, path.empty() ? name : path + "." + name}; }
  Place index(size_t i) const { return {file, path + "[" + std::to_string(i) + "]"}; }
};

// Throws a UserError "file:line: path: message".
[[noreturn]] void refuse(const Place& place, const YAML::Node& node, ErrorKind kind,
                         const std::string& message);

namespace detail {
bool read_bool(const YAML::Node& node, const Place& place);
int64_t read_int(const YAML::Node& node, const Place& place, const Constraint& constraint);
double read_number(const YAML::Node& node, const Place& place, const Constraint& constraint);
std::string read_text(const YAML::Node& node, const Place& place, const Constraint& constraint);
void check_map(const YAML::Node& node, const Place& place, const std::vector<std::string>& keys);

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
}  // namespace detail

template <class T>
class OptionTable;

// Specialise for each options aggregate.
template <class T>
void describe(OptionTable<T>& table);

template <class T>
const OptionTable<T>& option_table();

namespace detail {

// How a member of some type is read and written, wherever it stands.
struct FieldType {
  std::string name;
  void (*read)(const YAML::Node&, const Place&, const Constraint&, void* out);
  Json (*write)(const void* value);
  const std::vector<FieldInfo>* fields;  // of a nested map, else null
};

template <class M>
std::string type_name() {
  if constexpr (std::is_same_v<M, bool>) {
    return "true/false";
  } else if constexpr (std::is_same_v<M, int64_t>) {
    return "int";
  } else if constexpr (std::is_same_v<M, double>) {
    return "number";
  } else if constexpr (std::is_same_v<M, std::string>) {
    return "text";
  } else if constexpr (is_vector<M>::value) {
    return "list of " + type_name<typename M::value_type>();
  } else if constexpr (is_optional<M>::value) {
    return type_name<typename M::value_type>();
  } else {
    return "map";
  }
}

template <class M>
void read_value(const YAML::Node& node, const Place& place, const Constraint& constraint, M& out) {
  if constexpr (std::is_same_v<M, bool>) {
    out = read_bool(node, place);
  } else if constexpr (std::is_same_v<M, int64_t>) {
    out = read_int(node, place, constraint);
  } else if constexpr (std::is_same_v<M, double>) {
    out = read_number(node, place, constraint);
  } else if constexpr (std::is_same_v<M, std::string>) {
    out = read_text(node, place, constraint);
  } else if constexpr (is_vector<M>::value) {
    if (!node.IsSequence()) refuse(place, node, ErrorKind::type, "must be a list");
    out.clear();
    for (size_t i = 0; i < node.size(); ++i) {
      typename M::value_type element{};
      read_value(node[i], place.index(i), constraint, element);
      out.push_back(std::move(element));
    }
  } else if constexpr (is_optional<M>::value) {
    if (node.IsNull()) {
      out.reset();
      return;
    }
    typename M::value_type value{};
    read_value(node, place, constraint, value);
    out = std::move(value);
  } else {
    option_table<M>().read(node, place, out);
  }
}

template <class M>
Json to_json(const M& value) {
  if constexpr (is_vector<M>::value) {
    Json list = Json::array();
    for (const auto& element : value) list.push_back(to_json<typename M::value_type>(element));
    return list;
  } else if constexpr (is_optional<M>::value) {
    return value ? to_json(*value) : Json(nullptr);
  } else if constexpr (std::is_arithmetic_v<M> || std::is_same_v<M, std::string>) {
    return value;
  } else {
    return option_table<M>().write(value);
  }
}

template <class M>
constexpr bool kNested =
    std::is_class_v<M> && !std::is_same_v<M, std::string> && !is_vector<M>::value && !is_optional<M>::value;

template <class M>
const FieldType& field_type() {
  static const FieldType type = [] {
    FieldType t{type_name<M>(),
                [](const YAML::Node& node, const Place& place, const Constraint& constraint, void* out) {
                  read_value(node, place, constraint, *static_cast<M*>(out));
                },
                [](const void* value) { return to_json(*static_cast<const M*>(value)); }, nullptr};
    if constexpr (kNested<M>) t.fields = &option_table<M>().fields();
    return t;
  }();
  return type;
}

// Compiled once, in options.cpp.
#define PLAUDIT_FIELD_TYPES(prefix)                                        \
  prefix template const FieldType& field_type<bool>();                     \
  prefix template const FieldType& field_type<int64_t>();                  \
  prefix template const FieldType& field_type<double>();                   \
  prefix template const FieldType& field_type<std::string>();              \
  prefix template const FieldType& field_type<std::vector<int64_t>>();     \
  prefix template const FieldType& field_type<std::vector<double>>();      \
  prefix template const FieldType& field_type<std::vector<std::string>>(); \
  prefix template const FieldType& field_type<std::optional<bool>>();      \
  prefix template const FieldType& field_type<std::optional<int64_t>>();   \
  prefix template const FieldType& field_type<std::optional<double>>();    \
  prefix template const FieldType& field_type<std::optional<std::string>>()
PLAUDIT_FIELD_TYPES(extern);

// The fields of an aggregate, each by its offset: one compiled body serves all aggregates.
class FieldTable {
 public:
  void add(const std::string& key, const FieldType& type, size_t offset, const void* defaults,
           const std::string& doc, Constraint constraint);
  // The fields of `inner`, whose aggregate stands at `offset`, except those in `without`.
  void include(const FieldTable& inner, size_t offset, const void* defaults,
               const std::vector<std::string>& without);

  void read(const YAML::Node& node, const Place& place, void* out) const;
  Json write(const void* value) const;
  const std::vector<FieldInfo>& fields() const { return fields_; }

 private:
  struct Entry {
    const FieldType* type;
    size_t offset;
    Constraint constraint;
  };
  void add(Entry entry, FieldInfo info, const void* defaults);

  std::vector<std::string> keys_;
  std::vector<FieldInfo> fields_;
  std::vector<Entry> entries_;
};

}  // namespace detail

template <class T>
class OptionTable {
 public:
  template <class M>
  void field(const std::string& key, M T::*member, const std::string& doc, Constraint constraint = {}) {
    table_.add(key, detail::field_type<M>(), offset(member), &defaults_, doc, std::move(constraint));
  }

  // The fields of a nested aggregate stand beside this one's own, in the same map; those in `without` are not
  // offered and keep their default.
  template <class M>
  void include(M T::*member, const std::vector<std::string>& without = {}) {
    table_.include(option_table<M>().table_, offset(member), &defaults_, without);
  }

  // Reads a YAML map into `out`; keys that are absent keep their value.
  void read(const YAML::Node& node, const Place& place, T& out) const { table_.read(node, place, &out); }
  Json write(const T& value) const { return table_.write(&value); }
  const std::vector<FieldInfo>& fields() const { return table_.fields(); }

 private:
  template <class>
  friend class OptionTable;

  template <class M>
  size_t offset(M T::*member) const {
    return static_cast<size_t>(reinterpret_cast<const char*>(&(defaults_.*member)) -
                               reinterpret_cast<const char*>(&defaults_));
  }

  T defaults_{};
  detail::FieldTable table_;
};

template <class T>
const OptionTable<T>& option_table() {
  static const OptionTable<T> table = [] {
    OptionTable<T> t;
    describe(t);
    return t;
  }();
  return table;
}

// The options that a YAML map holds, defaults filled in.
template <class T>
T read_options(const YAML::Node& node, const Place& place) {
  T out{};
  if (node && !node.IsNull()) option_table<T>().read(node, place, out);
  return out;
}

}  // namespace plaudit
