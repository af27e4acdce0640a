#include "plaudit/core/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace plaudit {

std::string Constraint::text() const {
  if (!choices.empty()) {
    std::string list;
    for (const auto& choice : choices) list += (list.empty() ? "one of " : ", ") + choice;
    return list;
  }
  const bool bounded_low = std::isfinite(low), bounded_high = std::isfinite(high);
  if (bounded_low && bounded_high)
    return fmt::format("in {}{}, {}{}", open_low ? '(' : '[', low, high, open_high ? ')' : ']');
  if (bounded_low) return fmt::format("{} {}", open_low ? ">" : ">=", low);
  if (bounded_high) return fmt::format("{} {}", open_high ? "<" : "<=", high);
  return "";
}

namespace {
Constraint interval(double low, double high, bool open_low, bool open_high) {
  Constraint c;
  c.low = low;
  c.high = high;
  c.open_low = open_low;
  c.open_high = open_high;
  return c;
}
constexpr double kInfinity = std::numeric_limits<double>::infinity();
}  // namespace

Constraint at_least(double low) {
  return interval(low, kInfinity, false, false);
}
Constraint greater_than(double low) {
  return interval(low, kInfinity, true, false);
}
Constraint between(double low, double high) {
  return interval(low, high, false, false);
}
Constraint from_to_below(double low, double high) {
  return interval(low, high, false, true);
}
Constraint one_of(std::vector<std::string> choices) {
  Constraint c;
  c.choices = std::move(choices);
  return c;
}

void refuse(const Place& place, const YAML::Node& node, ErrorKind kind, const std::string& message) {
  const auto mark = node.Mark();
  const auto line = mark.is_null() ? std::string() : fmt::format(":{}", mark.line + 1);
  fail(kind, place.file + line, (place.path.empty() ? "" : place.path + ": ") + message);
}

namespace detail {
namespace {

std::string shown(const YAML::Node& node) {
  if (node.IsScalar()) return "'" + node.Scalar() + "'";
  return node.IsSequence() ? "a list" : node.IsMap() ? "a map" : "nothing";
}

void check_bounds(double value, const YAML::Node& node, const Place& place, const Constraint& c) {
  const bool low = c.open_low ? value > c.low : value >= c.low;
  const bool high = c.open_high ? value < c.high : value <= c.high;
  // An unbounded field has infinite limits, which every finite value satisfies.
  const bool ok = (low || !std::isfinite(c.low)) && (high || !std::isfinite(c.high));
  if (!ok) refuse(place, node, ErrorKind::value, fmt::format("must be {}, got {}", c.text(), node.Scalar()));
}

}  // namespace

bool read_bool(const YAML::Node& node, const Place& place) {
  bool value = false;
  if (!node.IsScalar() || !YAML::convert<bool>::decode(node, value))
    refuse(place, node, ErrorKind::type, "must be true or false, got " + shown(node));
  return value;
}

int64_t read_int(const YAML::Node& node, const Place& place, const Constraint& constraint) {
  int64_t value = 0;
  if (!node.IsScalar() || !YAML::convert<int64_t>::decode(node, value))
    refuse(place, node, ErrorKind::type, "must be a whole number, got " + shown(node));
  check_bounds(static_cast<double>(value), node, place, constraint);
  return value;
}

double read_number(const YAML::Node& node, const Place& place, const Constraint& constraint) {
  double value = 0;
  if (!node.IsScalar() || !YAML::convert<double>::decode(node, value))
    refuse(place, node, ErrorKind::type, "must be a number, got " + shown(node));
  if (!std::isfinite(value)) refuse(place, node, ErrorKind::value, "must be finite, got " + node.Scalar());
  check_bounds(value, node, place, constraint);
  return value;
}

std::string read_text(const YAML::Node& node, const Place& place, const Constraint& constraint) {
  if (!node.IsScalar()) refuse(place, node, ErrorKind::type, "must be text, got " + shown(node));
  const auto value = node.Scalar();
  const auto& choices = constraint.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
    refuse(place, node, ErrorKind::value, "'" + value + "' is not known" + suggestion(value, choices));
  return value;
}

void check_map(const YAML::Node& node, const Place& place, const std::vector<std::string>& keys) {
  if (!node.IsMap()) refuse(place, node, ErrorKind::type, "must be a map, got " + shown(node));
  std::vector<std::string> seen;
  for (const auto& entry : node) {
    const auto key = entry.first.Scalar();
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      refuse(place.key(key), entry.first, ErrorKind::value,
             "there is no option '" + key + "'" + suggestion(key, keys));
    if (std::find(seen.begin(), seen.end(), key) != seen.end())
      refuse(place.key(key), entry.first, ErrorKind::value, "is given twice");
    seen.push_back(key);
  }
}

namespace {
const void* at_offset(const void* aggregate, size_t offset) {
  return static_cast<const char*>(aggregate) + offset;
}
}  // namespace

PLAUDIT_FIELD_TYPES();

void FieldTable::add(Entry entry, FieldInfo info, const void* defaults) {
  info.default_value = entry.type->write(at_offset(defaults, entry.offset)).dump();
  keys_.push_back(info.key);
  fields_.push_back(std::move(info));
  entries_.push_back(std::move(entry));
}

void FieldTable::add(const std::string& key, const FieldType& type, size_t offset, const void* defaults,
                     const std::string& doc, Constraint constraint) {
  FieldInfo info{key, type.name, {}, constraint.text(), doc, {}};
  if (type.fields != nullptr) info.fields = *type.fields;
  add({&type, offset, std::move(constraint)}, std::move(info), defaults);
}

void FieldTable::include(const FieldTable& inner, size_t offset, const void* defaults,
                         const std::vector<std::string>& without) {
  for (size_t i = 0; i < inner.entries_.size(); ++i) {
    if (std::find(without.begin(), without.end(), inner.keys_[i]) != without.end()) continue;
    auto entry = inner.entries_[i];
    entry.offset += offset;
    add(std::move(entry), inner.fields_[i], defaults);
  }
}

void FieldTable::read(const YAML::Node& node, const Place& place, void* out) const {
  check_map(node, place, keys_);
  for (size_t i = 0; i < keys_.size(); ++i) {
    const auto& entry = entries_[i];
    const auto value = node[keys_[i]];
    if (value)
      entry.type->read(value, place.key(keys_[i]), entry.constraint, static_cast<char*>(out) + entry.offset);
  }
}

Json FieldTable::write(const void* value) const {
  Json out = Json::object();
  for (size_t i = 0; i < keys_.size(); ++i)
    out[keys_[i]] = entries_[i].type->write(at_offset(value, entries_[i].offset));
  return out;
}

}  // namespace detail
}  // namespace plaudit
