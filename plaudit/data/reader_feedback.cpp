#include "plaudit/data/reader_loop.h"

namespace plaudit {
namespace {

bool desirable_of(Row& row) {
  const auto& label = row.field("label");
  if (label.is_boolean()) return label.get<bool>();
  if (label.is_number_integer() && (label == 0 || label == 1)) return label == 1;
  throw BadRecord{"'" + row.column("label") + "' is not true or false",
                  label.is_binary() ? "bytes" : label.dump()};
}

void add_completion_feedback(Row& row, Records<UnpairedFeedback>& out) {
  UnpairedFeedback feedback{row.prompt("prompt"), row.answer("completion"), desirable_of(row)};
  feedback.extra = row.extra();
  out.records.push_back(std::move(feedback));
}

void add_conversation_feedback(Row& row, Records<UnpairedFeedback>& out) {
  auto turns = split_conversation(read_messages(row.field("messages"), row.column("messages")));
  UnpairedFeedback feedback{std::move(turns.prompt), std::move(turns.answer), desirable_of(row)};
  feedback.extra = row.extra();
  out.records.push_back(std::move(feedback));
}

void add_both_sides(Row& row, Records<UnpairedFeedback>& out) {
  auto pair = pair_of(row);
  out.records.push_back({pair.prompt, std::move(pair.chosen), true, pair.extra});
  out.records.push_back({std::move(pair.prompt), std::move(pair.rejected), false, std::move(pair.extra)});
}

// An element of completions: a text, one assistant message, or an object with the text under `response`.
std::string completion_of(const Json& element, Row& row) {
  if (element.is_string()) return checked_answer(element.get<std::string>());
  if (element.is_array()) {
    const auto messages = read_messages(element, row.column("completions"));
    if (messages.size() == 1 && messages[0].role == "assistant") return checked_answer(messages[0].content);
  }
  const auto& key = row.column("response");
  const auto found = element.is_object() ? element.find(key) : element.end();
  if (!element.is_object() || found == element.end() || !found->is_string())
    throw BadRecord{
        "'" + row.column("completions") + "' has an element that is no text and has no text '" + key + "'",
        ""};
  return checked_answer(found->get<std::string>());
}

// The score inside an element of completions; null when there is none.
Json score_within(const Json& element, Row& row) {
  if (!element.is_object()) return nullptr;
  const auto& key = row.column("score");
  if (key == ColumnNames{}.score && element.contains("overall_score")) return element["overall_score"];
  return element.contains(key) ? element[key] : Json(nullptr);
}

double finite_score(const Json& value) {
  const double score = value.is_number() ? value.get<double>() : NAN;
  if (!std::isfinite(score))
    throw BadRecord{"a score is not a number", value.is_binary() ? "bytes" : value.dump()};
  return score;
}

std::vector<double> scores_of(const Json& completions, Row& row) {
  std::vector<Json> found;
  if (row.has("scores")) {
    const auto& scores = row.field("scores");
    if (!scores.is_array() || scores.size() != completions.size())
      throw BadRecord{"'" + row.column("scores") + "' does not hold one score per completion", ""};
    found.assign(scores.begin(), scores.end());
  } else {
    for (const auto& element : completions) found.push_back(score_within(element, row));
    if (std::all_of(found.begin(), found.end(), [](const Json& score) { return score.is_null(); })) return {};
  }
  std::vector<double> scores;
  for (const auto& score : found) scores.push_back(finite_score(score));
  return scores;
}

void add_list(Row& row, Records<RankedList>& out) {
  out.records.push_back(list_of(row));
}

void add_list_of_two(Row& row, Records<RankedList>& out) {
  auto pair = pair_of(row);
  out.records.push_back({std::move(pair.prompt), {pair.chosen, pair.rejected}, {}, std::move(pair.extra)});
}

}  // namespace

RankedList list_of(Row& row) {
  RankedList list;
  list.prompt = row.prompt("prompt");
  const auto& completions = row.field("completions");
  if (!completions.is_array() || completions.size() < 2)
    throw BadRecord{"'" + row.column("completions") + "' is not a list of two or more", ""};
  for (const auto& element : completions) list.completions.push_back(completion_of(element, row));
  list.scores = scores_of(completions, row);
  list.extra = row.extra();
  return list;
}

Records<UnpairedFeedback> read_unpaired_feedback(const std::string& path, const ReadOptions& options) {
  static const std::vector<Form<UnpairedFeedback>> forms{
      {{"prompt", "completion", "label"}, &add_completion_feedback},
      {{"messages", "label"}, &add_conversation_feedback},
      {{"prompt", "chosen", "rejected"}, &add_both_sides},
      {{"chosen", "rejected"}, &add_both_sides, &holds_conversation},
  };
  return read_records(path, options, forms);
}

Records<RankedList> read_ranked_lists(const std::string& path, const ReadOptions& options) {
  static const std::vector<Form<RankedList>> forms{
      {{"prompt", "completions"}, &add_list},
      {{"prompt", "chosen", "rejected"}, &add_list_of_two},
      {{"chosen", "rejected"}, &add_list_of_two, &holds_conversation},
  };
  return read_records(path, options, forms);
}

}  // namespace plaudit
