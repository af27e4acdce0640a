#include <limits>

#include "plaudit/data/dialogue.h"
#include "plaudit/data/reader_loop.h"
#include "plaudit/data/text.h"

namespace plaudit {
namespace {

void add(Row& row, Records<Demonstration>& out, Prompt prompt, std::string answer) {
  Demonstration demonstration{std::move(prompt), std::move(answer)};
  demonstration.weight = row.number("weight", 0, std::numeric_limits<double>::infinity()).value_or(1);
  demonstration.extra = row.extra();
  out.records.push_back(std::move(demonstration));
}

void add_completion(Row& row, Records<Demonstration>& out) {
  auto prompt = row.prompt("prompt");
  add(row, out, std::move(prompt), row.answer("completion"));
}

// The last answer of a conversation, or every answer with what precedes it as its prompt.
void add_turns(Row& row, Records<Demonstration>& out, std::vector<Message> messages) {
  if (row.options().turns == "all") {
    for (size_t i = 0; i + 1 < messages.size(); ++i) {
      if (messages[i].role != "assistant") continue;
      auto earlier =
          split_conversation({messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(i) + 1});
      add(row, out, std::move(earlier.prompt), std::move(earlier.answer));
    }
  }
  auto last = split_conversation(std::move(messages));
  add(row, out, std::move(last.prompt), std::move(last.answer));
}

void add_conversation(Row& row, Records<Demonstration>& out) {
  add_turns(row, out, read_messages(row.field("messages"), row.column("messages")));
}

// Instruction and optional input, joined by a blank line.
Prompt instruction_prompt(Row& row) {
  auto text = row.text("instruction");
  const auto input = row.has("input") ? row.text("input") : std::string();
  if (!strip(input).empty()) text += "\n\n" + input;
  return prompt_from_text(text, row.options());
}

void add_instruction(Row& row, Records<Demonstration>& out) {
  auto prompt = instruction_prompt(row);
  add(row, out, std::move(prompt), row.answer("output"));
}

void add_chosen(Row& row, Records<Demonstration>& out) {
  auto pair = pair_of(row);
  out.records.push_back({std::move(pair.prompt), std::move(pair.chosen), pair.weight, std::move(pair.extra)});
}

void add_text(Row& row, Records<Demonstration>& out) {
  auto text = row.text("text");
  if (row.options().dialogues == "chat" && is_dialogue(text))
    return add_turns(row, out, parse_dialogue(text));
  add(row, out, {}, checked_answer(std::move(text)));
}

void add_prompt(Records<PromptRecord>& out, Prompt prompt, const Row& row) {
  out.records.push_back({std::move(prompt), row.extra()});
}

void add_prompt_alone(Row& row, Records<PromptRecord>& out) {
  auto prompt = row.prompt("prompt");
  add_prompt(out, std::move(prompt), row);
}

void add_prompt_of_instruction(Row& row, Records<PromptRecord>& out) {
  auto prompt = instruction_prompt(row);
  add_prompt(out, std::move(prompt), row);
}

// A conversation up to its last question.
void add_prompt_of_conversation(Row& row, Records<PromptRecord>& out) {
  auto messages = read_messages(row.field("messages"), row.column("messages"));
  if (messages.back().role == "assistant") messages.pop_back();
  add_prompt(out, prompt_from_messages(std::move(messages)), row);
}

void add_prompt_of_pair(Row& row, Records<PromptRecord>& out) {
  auto pair = pair_of(row);
  out.records.push_back({std::move(pair.prompt), std::move(pair.extra)});
}

void add_prompt_of_text(Row& row, Records<PromptRecord>& out) {
  auto prompt = row.prompt("text");
  add_prompt(out, std::move(prompt), row);
}

bool has_no_other_prompt(Row& row) {
  return row.column("prompt") == row.column("instruction");
}

}  // namespace

Records<Demonstration> read_demonstrations(const std::string& path, const ReadOptions& options) {
  static const std::vector<Form<Demonstration>> forms{
      {{"prompt", "completion"}, &add_completion},
      {{"messages"}, &add_conversation},
      {{"instruction", "output"}, &add_instruction},
      {{"prompt", "chosen", "rejected"}, &add_chosen},
      {{"chosen", "rejected"}, &add_chosen, &holds_conversation},
      {{"text"}, &add_text},
  };
  return read_records(path, options, forms);
}

Records<PromptRecord> read_prompts(const std::string& path, const ReadOptions& options) {
  static const std::vector<Form<PromptRecord>> forms{
      {{"instruction", "input"}, &add_prompt_of_instruction, &has_no_other_prompt},
      {{"prompt"}, &add_prompt_alone},
      {{"messages"}, &add_prompt_of_conversation},
      {{"chosen", "rejected"}, &add_prompt_of_pair, &holds_conversation},
      {{"text"}, &add_prompt_of_text},
  };
  return read_records(path, options, forms);
}

}  // namespace plaudit
