// One record of a data file, read by role ("chosen") instead of by column name ("response_j").
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plaudit/data/messages.h"
#include "plaudit/data/reader.h"

namespace plaudit {

// Role -> name of the column, as the options and the file have it.
class ColumnMap {
 public:
  // `present` are the columns that the file has. A role whose column is absent may be found under its other
  // usual name, unless the options name the column.
  ColumnMap(const ColumnNames& names, const std::vector<std::string>& present);

  // The column of a role: a field of ColumnNames.
  const std::string& of(const std::string& role) const;
  bool has(const std::string& role) const;
  const std::vector<std::string>& present() const { return present_; }

  // UserError for the first column that the options name and the file lacks.
  void check_named(const std::string& file, const ColumnNames& names) const;
  // Throws the UserError that the file lacks the column of `role`.
  [[noreturn]] void refuse_missing(const std::string& file, const std::string& role) const;

 private:
  std::map<std::string, std::string> columns_;
  std::vector<std::string> present_;
};

// Accessors throw BadRecord when the field is not what was asked for.
class Row {
 public:
  Row(const Json& record, const ColumnMap& columns, const ReadOptions& options)
      : record_(record), columns_(columns), options_(options) {}

  const ReadOptions& options() const { return options_; }
  const std::string& column(const std::string& role) const { return columns_.of(role); }
  const ColumnMap& columns() const { return columns_; }

  // True when the field is there and not null.
  bool has(const std::string& role) const;
  const Json& field(const std::string& role);
  std::string text(const std::string& role);
  std::optional<double> number(const std::string& role, double low, double high);
  // A prompt: text, or messages that do not end with an assistant turn. Dialogues and plain text as the
  // options say. Not empty.
  Prompt prompt(const std::string& role);
  // Text, or a list that holds one assistant message; not only white space.
  std::string answer(const std::string& role);

  // The fields that no accessor has read.
  Json extra() const;

 private:
  const Json& record_;
  const ColumnMap& columns_;
  const ReadOptions& options_;
  std::set<std::string> used_;
};

// `text` as the prompt that the options ask for.
Prompt prompt_from_text(const std::string& text, const ReadOptions& options);
// Messages as a prompt: not empty, with a last message that asks for an answer.
Prompt prompt_from_messages(std::vector<Message> messages);

// `text` if there is more in it than white space.
std::string checked_answer(std::string text);

// A conversation cut before its last message, which must be an answer of the assistant.
struct Conversation {
  Prompt prompt;
  std::string answer;
};
Conversation split_conversation(std::vector<Message> messages);

}  // namespace plaudit
