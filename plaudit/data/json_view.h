// Reads the JSON files of a model with errors that name the file and the key.
//
//   const auto file = JsonFile::read("tokenizer.json");
//   file.view().at("model").at("type").text();    // UserError "tokenizer.json: model.type must be a text
//   ..."
//
// Objects are kept sorted by key (nlohmann::json), so that a vocabulary of a quarter of a million entries
// loads in time linear in its size.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plaudit/core/errors.h"

namespace plaudit {

class JsonView {
 public:
  JsonView(const nlohmann::json& value, std::string file, std::string key)
      : value_(&value), file_(std::move(file)), key_(std::move(key)) {}

  // The member `key` of an object; `at` needs it, `find` gives nothing when it is absent or null.
  JsonView at(const std::string& key) const;
  std::optional<JsonView> find(const std::string& key) const;

  bool is_text() const { return value_->is_string(); }
  bool is_list() const { return value_->is_array(); }
  bool is_object() const { return value_->is_object(); }

  const std::string& text() const;
  int64_t integer() const;
  bool flag() const;
  std::vector<JsonView> list() const;
  // The members of an object: key and value.
  std::vector<std::pair<std::string, JsonView>> members() const;

  // Members with a default.
  std::string text_or(const std::string& key, const std::string& fallback) const;
  bool flag_or(const std::string& key, bool fallback) const;
  int64_t integer_or(const std::string& key, int64_t fallback) const;

  // "tokenizer.json: model.type"
  std::string where() const;
  [[noreturn]] void refuse(ErrorKind kind, const std::string& message) const;
  const nlohmann::json& json() const { return *value_; }

 private:
  [[noreturn]] void wrong_type(std::string_view expected) const;

  const nlohmann::json* value_;
  std::string file_;
  std::string key_;
};

class JsonFile {
 public:
  // UserError (io, type) when the file cannot be read or is not JSON.
  static JsonFile read(const std::string& path);
  JsonView view() const { return {value_, path_, ""}; }

 private:
  nlohmann::json value_;
  std::string path_;
};

}  // namespace plaudit
