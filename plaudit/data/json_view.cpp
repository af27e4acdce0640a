#include "plaudit/data/json_view.h"

#include <fmt/format.h>

#include "plaudit/core/files.h"

namespace plaudit {
namespace {

// The value as it appears in a message: its JSON text, cut after 60 characters.
std::string excerpt(const nlohmann::json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("a list of {}", value.size());
  auto text = value.dump(-1, ' ', true);  // escaped to ASCII, so that it can be cut anywhere
  return text.size() > 60 ? text.substr(0, 60) + "..." : text;
}

}  // namespace

JsonView JsonView::at(const std::string& key) const {
  if (!value_->is_object()) wrong_type("an object");
  const auto found = value_->find(key);
  const auto path = key_.empty() ? key : key_ + "." + key;
  if (found == value_->end()) fail(ErrorKind::value, file_, "needs the key '" + path + "'");
  return {*found, file_, path};
}

std::optional<JsonView> JsonView::find(const std::string& key) const {
  if (!value_->is_object()) wrong_type("an object");
  const auto found = value_->find(key);
  if (found == value_->end() || found->is_null()) return std::nullopt;
  return at(key);
}

const std::string& JsonView::text() const {
  if (!value_->is_string()) wrong_type("a text");
  return value_->get_ref<const std::string&>();
}

int64_t JsonView::integer() const {
  if (!value_->is_number_integer()) wrong_type("an integer");
  return value_->get<int64_t>();
}

bool JsonView::flag() const {
  if (!value_->is_boolean()) wrong_type("true or false");
  return value_->get<bool>();
}

std::vector<JsonView> JsonView::list() const {
  if (!value_->is_array()) wrong_type("a list");
  std::vector<JsonView> out;
  out.reserve(value_->size());
  for (size_t i = 0; i < value_->size(); ++i)
    out.emplace_back((*value_)[i], file_, key_ + "[" + std::to_string(i) + "]");
  return out;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  if (!value_->is_object()) wrong_type("an object");
  std::vector<std::pair<std::string, JsonView>> out;
  out.reserve(value_->size());
  for (auto it = value_->begin(); it != value_->end(); ++it)
    out.emplace_back(it.key(), JsonView(it.value(), file_, key_ + "." + it.key()));
  return out;
}

std::string JsonView::text_or(const std::string& key, const std::string& fallback) const {
  const auto member = find(key);
  return member ? member->text() : fallback;
}

bool JsonView::flag_or(const std::string& key, bool fallback) const {
  const auto member = find(key);
  return member ? member->flag() : fallback;
}

int64_t JsonView::integer_or(const std::string& key, int64_t fallback) const {
  const auto member = find(key);
  return member ? member->integer() : fallback;
}

std::string JsonView::where() const {
  return key_.empty() ? file_ : file_ + ": " + key_;
}

void JsonView::refuse(ErrorKind kind, const std::string& message) const {
  fail(kind, where(), message);
}

void JsonView::wrong_type(std::string_view expected) const {
  refuse(ErrorKind::type, fmt::format("must be {}, got {}", expected, excerpt(*value_)));
}

JsonFile JsonFile::read(const std::string& path) {
  JsonFile out;
  out.path_ = path;
  try {
    out.value_ = nlohmann::json::parse(read_file(path));
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::type, path, std::string("is not JSON: ") + error.what());
  }
  return out;
}

}  // namespace plaudit
