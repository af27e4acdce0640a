#include "plaudit/data/messages.h"

#include <fmt/format.h>

#include <map>

namespace plaudit {
namespace {

[[noreturn]] void bad(const std::string& column, const std::string& what, std::string detail = "") {
  throw BadRecord{fmt::format("'{}' {}", column, what), std::move(detail)};
}

const Json* find(const Json& object, const char* key, const char* other) {
  const auto first = object.find(key);
  if (first != object.end()) return &*first;
  const auto second = object.find(other);
  return second == object.end() ? nullptr : &*second;
}

std::string role_of(const Json& message, const std::string& column) {
  static const std::map<std::string, std::string> roles{{"system", "system"}, {"user", "user"},
                                                        {"human", "user"},    {"assistant", "assistant"},
                                                        {"gpt", "assistant"}, {"model", "assistant"}};
  const Json* role = find(message, "role", "from");
  if (!role || !role->is_string()) bad(column, "has a message without a role");
  const auto known = roles.find(role->get_ref<const std::string&>());
  if (known == roles.end())
    bad(column, "has a message with an unknown role",
        role->get<std::string>() + ", expected system, user, assistant");
  return known->second;
}

std::string content_of(const Json& message, const std::string& column) {
  const Json* content = find(message, "content", "value");
  if (content && content->is_string()) return content->get<std::string>();
  if (!content || !content->is_array()) bad(column, "has a message whose content is not text");
  std::string text;
  for (const auto& part : *content) {
    const auto found = part.is_object() ? part.find("text") : part.end();
    if (!part.is_object() || found == part.end() || !found->is_string())
      bad(column, "has a message with a part that is not text",
          part.is_object() ? part.value("type", "") : "");
    text += found->get_ref<const std::string&>();
  }
  return text;
}

}  // namespace

bool looks_like_messages(const Json& value) {
  return value.is_array() && !value.empty() && value.front().is_object();
}

std::vector<Message> read_messages(const Json& value, const std::string& column) {
  if (!value.is_array()) bad(column, "is not a list of messages");
  if (value.empty()) bad(column, "has no message");
  std::vector<Message> messages;
  for (const auto& message : value) {
    if (!message.is_object()) bad(column, "is not a list of messages");
    messages.push_back({role_of(message, column), content_of(message, column)});
  }
  return messages;
}

}  // namespace plaudit
