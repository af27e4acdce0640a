#include "plaudit/data/reader_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/data/dialogue.h"
#include "plaudit/data/text.h"

namespace plaudit {
namespace {

// Other usual names of a column.
const std::map<std::string, std::vector<std::string>>& other_names() {
  static const std::map<std::string, std::vector<std::string>> names{
      {"prompt", {"instruction"}}, {"score", {"overall_score"}}, {"messages", {"conversations"}}};
  return names;
}

// Roles that are columns of the file itself, not of an element of completions.
bool is_top_level(const std::string& role) {
  return role != "score" && role != "response";
}

std::string shown(const Json& value) {
  return value.is_binary() ? "bytes" : excerpt(value.dump());
}

}  // namespace

ColumnMap::ColumnMap(const ColumnNames& names, const std::vector<std::string>& present) : present_(present) {
  const Json named = option_table<ColumnNames>().write(names);
  const Json usual = option_table<ColumnNames>().write({});
  for (const auto& [role, name] : named.items()) {
    columns_[role] = name.get<std::string>();
    const auto others = other_names().find(role);
    if (name != usual[role] || has(role) || others == other_names().end()) continue;
    for (const auto& other : others->second) {
      if (std::find(present.begin(), present.end(), other) != present.end()) columns_[role] = other;
    }
  }
}

const std::string& ColumnMap::of(const std::string& role) const {
  const auto found = columns_.find(role);
  if (found == columns_.end()) bug("ColumnMap", "no role " + role);
  return found->second;
}

bool ColumnMap::has(const std::string& role) const {
  return std::find(present_.begin(), present_.end(), of(role)) != present_.end();
}

void ColumnMap::check_named(const std::string& file, const ColumnNames& names) const {
  const Json named = option_table<ColumnNames>().write(names);
  const Json usual = option_table<ColumnNames>().write({});
  for (const auto& [role, name] : named.items()) {
    if (name != usual[role] && name != "-" && is_top_level(role) && !has(role)) refuse_missing(file, role);
  }
}

void ColumnMap::refuse_missing(const std::string& file, const std::string& role) const {
  const auto& name = of(role);
  std::string list;
  for (const auto& column : present_) list += (list.empty() ? "" : ", ") + column;
  const auto near = nearest(name, present_);
  fail(ErrorKind::value, file,
       fmt::format("has no column '{}'{}; its columns are {}; name the right one with columns: {{{}: NAME}}",
                   name, near.empty() ? "" : ", did you mean '" + near + "'?", list, role));
}

bool Row::has(const std::string& role) const {
  const auto found = record_.find(columns_.of(role));
  return found != record_.end() && !found->is_null();
}

const Json& Row::field(const std::string& role) {
  const auto& name = columns_.of(role);
  const auto found = record_.find(name);
  if (found == record_.end() || found->is_null()) throw BadRecord{"'" + name + "' is missing", ""};
  used_.insert(name);
  return *found;
}

std::string Row::text(const std::string& role) {
  const auto& value = field(role);
  if (!value.is_string()) throw BadRecord{"'" + column(role) + "' is not text", shown(value)};
  return value.get<std::string>();
}

std::optional<double> Row::number(const std::string& role, double low, double high) {
  if (!has(role)) return std::nullopt;
  const auto& value = field(role);
  const double number = value.is_number() ? value.get<double>() : NAN;
  if (!(number >= low && number <= high && std::isfinite(number)))
    throw BadRecord{std::isfinite(high)
                        ? fmt::format("'{}' is not a number in [{}, {}]", column(role), low, high)
                    : std::isfinite(low) ? fmt::format("'{}' is not a number >= {}", column(role), low)
                                         : fmt::format("'{}' is not a number", column(role)),
                    shown(value)};
  return number;
}

Prompt Row::prompt(const std::string& role) {
  const auto& value = field(role);
  if (value.is_array()) return prompt_from_messages(read_messages(value, column(role)));
  return prompt_from_text(text(role), options_);
}

std::string Row::answer(const std::string& role) {
  const auto& value = field(role);
  if (!value.is_array()) return checked_answer(text(role));
  const auto messages = read_messages(value, column(role));
  if (messages.size() != 1 || messages[0].role != "assistant")
    throw BadRecord{"'" + column(role) + "' is not one assistant message",
                    fmt::format("{} messages, the last of role {}", messages.size(), messages.back().role)};
  return checked_answer(messages[0].content);
}

Json Row::extra() const {
  Json extra = Json::object();
  for (const auto& [key, value] : record_.items()) {
    if (!used_.count(key)) extra[key] = value;
  }
  return extra;
}

Prompt prompt_from_messages(std::vector<Message> messages) {
  if (messages.empty()) throw BadRecord{"the prompt is empty", ""};
  if (messages.back().role == "assistant")
    throw BadRecord{"the prompt ends with an assistant turn", excerpt(messages.back().content)};
  return {"", std::move(messages)};
}

Prompt prompt_from_text(const std::string& text, const ReadOptions& options) {
  if (strip(text).empty()) throw BadRecord{"the prompt is empty", ""};
  if (options.dialogues == "chat" && is_dialogue(text)) return prompt_from_messages(parse_dialogue(text));
  if (options.plain_prompts == "chat" && !is_dialogue(text)) return {"", {{"user", text}}};
  return {text, {}};
}

std::string checked_answer(std::string text) {
  if (strip(text).empty()) throw BadRecord{"the answer is empty", ""};
  return text;
}

Conversation split_conversation(std::vector<Message> messages) {
  if (messages.empty() || messages.back().role != "assistant")
    throw BadRecord{"the conversation does not end with an assistant turn",
                    messages.empty() ? "no turn" : "the last role is " + messages.back().role};
  auto answer = checked_answer(std::move(messages.back().content));
  messages.pop_back();
  return {prompt_from_messages(std::move(messages)), std::move(answer)};
}

}  // namespace plaudit
