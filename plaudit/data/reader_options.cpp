#include "plaudit/data/pairs.h"
#include "plaudit/data/reader.h"
#include "plaudit/data/reader_loop.h"

namespace plaudit {

template <>
void describe(OptionTable<ColumnNames>& t) {
  t.field("prompt", &ColumnNames::prompt, "the prompt; also found as: instruction");
  t.field("chosen", &ColumnNames::chosen, "the better answer");
  t.field("rejected", &ColumnNames::rejected, "the worse answer");
  t.field("completion", &ColumnNames::completion, "the answer, where a record has one");
  t.field("completions", &ColumnNames::completions, "the answers, where a record has several");
  t.field("scores", &ColumnNames::scores, "one number per completion, higher is better");
  t.field("response", &ColumnNames::response, "the text inside an element of completions");
  t.field("score", &ColumnNames::score,
          "the number inside an element of completions; also found as: overall_score");
  t.field("label", &ColumnNames::label,
          "desirable or not; in pairs the probability that chosen is better, in [0, 1]");
  t.field("weight", &ColumnNames::weight, "weight of the record, >= 0");
  t.field("margin", &ColumnNames::margin, "how much better chosen is, in units of reward");
  t.field("messages", &ColumnNames::messages, "a whole conversation; also found as: conversations");
  t.field("text", &ColumnNames::text, "a whole text without a prompt");
  t.field("instruction", &ColumnNames::instruction, "the task");
  t.field("input", &ColumnNames::input, "what the task is about; put below the instruction");
  t.field("output", &ColumnNames::output, "the answer to an instruction");
}

template <>
void describe(OptionTable<ReadOptions>& t) {
  t.field("columns", &ReadOptions::columns,
          "what the file calls each column; '-' for one to be taken as absent");
  t.field("max_rejected", &ReadOptions::max_rejected, "share of bad records above which the run stops",
          between(0, 1));
  t.field("limit", &ReadOptions::limit, "read only this many records", at_least(1));
  t.field("pairs", &ReadOptions::pairs, "pairs from a ranked list", one_of(pair_modes()));
  t.field("dialogues", &ReadOptions::dialogues,
          "what texts of '\\n\\nHuman:' and '\\n\\nAssistant:' turns become", one_of({"chat", "text"}));
  t.field("plain_prompts", &ReadOptions::plain_prompts,
          "what a prompt of plain text becomes: itself, or the user message of a chat",
          one_of({"text", "chat"}));
  t.field("turns", &ReadOptions::turns, "which answers of a conversation become demonstrations",
          one_of({"last", "all"}));
}

const std::vector<std::string>& record_kinds() {
  static const std::vector<std::string> kinds{"pairs", "unpaired", "ranked", "demonstrations", "prompts"};
  return kinds;
}

std::string guess_kind(const std::string& path, const ReadOptions& options) {
  std::vector<RawRecord> first;
  for_each_record(path, [&](RawRecord record) {
    detail::wrap_text(record);
    first.push_back(std::move(record));
    return first.size() < detail::records_ahead;
  });
  detail::check_objects(path, first);
  const ColumnMap columns(options.columns, detail::columns_of(first));
  const auto has = [&](const char* role) { return columns.has(role); };
  if (has("chosen") && has("rejected")) return "pairs";
  if (has("prompt") && has("completions")) return "ranked";
  if (has("label") && (has("messages") || (has("prompt") && has("completion")))) return "unpaired";
  if (has("messages") || (has("prompt") && has("completion")) || (has("instruction") && has("output")))
    return "demonstrations";
  if (has("prompt")) return "prompts";
  return has("text") ? "demonstrations" : "";
}

}  // namespace plaudit
