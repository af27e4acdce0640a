#include "plaudit/core/errors.h"
#include "plaudit/data/dialogue.h"
#include "plaudit/data/pairs.h"
#include "plaudit/data/reader_loop.h"
#include "plaudit/data/text.h"

namespace plaudit {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The two answers of one prompt, before they are checked against each other.
struct Sides {
  Prompt prompt;
  std::string chosen, rejected;
};

void check_same_prompt(bool same, const std::string& chosen, const std::string& rejected) {
  if (!same)
    throw BadRecord{"chosen and rejected answer different prompts",
                    "'" + excerpt(chosen) + "' against '" + excerpt(rejected) + "'"};
}

// A prompt beside whole conversations must be a part of them.
void check_prompt_within(Row& row, const Prompt& prompt) {
  if (!row.has("prompt")) return;
  const auto& field = row.field("prompt");
  bool within = false;
  if (field.is_array()) {
    const auto given = read_messages(field, row.column("prompt"));
    within = given.size() <= prompt.messages.size() &&
             std::equal(given.begin(), given.end(), prompt.messages.begin());
  } else {
    const auto text = row.text("prompt");
    for (const auto& message : prompt.messages) within = within || strip(message.content) == strip(text);
  }
  if (!within) throw BadRecord{"'" + row.column("prompt") + "' is not part of the conversations", ""};
}

Sides from_messages(Row& row) {
  auto chosen = split_conversation(read_messages(row.field("chosen"), row.column("chosen")));
  auto rejected = split_conversation(read_messages(row.field("rejected"), row.column("rejected")));
  check_same_prompt(chosen.prompt == rejected.prompt, chosen.prompt.messages.back().content,
                    rejected.prompt.messages.back().content);
  check_prompt_within(row, chosen.prompt);
  return {std::move(chosen.prompt), std::move(chosen.answer), std::move(rejected.answer)};
}

Sides from_dialogues(Row& row) {
  const auto chosen = row.text("chosen"), rejected = row.text("rejected");
  DialoguePair pair;
  try {
    pair = split_dialogue_pair(chosen, rejected);
  } catch (const UserError& error) {
    throw BadRecord{"not a dialogue with an answer", message_of(error)};
  }
  check_same_prompt(pair.same_prompt, pair.chosen, pair.rejected);
  return {prompt_from_text(pair.prompt, row.options()), checked_answer(std::move(pair.chosen)),
          checked_answer(std::move(pair.rejected))};
}

bool holds_several_messages(const Json& value) {
  return value.is_array() && value.size() > 1;
}

Sides sides_of(Row& row) {
  if (!row.columns().has("prompt"))
    return row.field("chosen").is_array() ? from_messages(row) : from_dialogues(row);
  if (holds_several_messages(row.field("chosen"))) return from_messages(row);
  auto prompt = row.prompt("prompt");
  auto chosen = row.answer("chosen");
  return {std::move(prompt), std::move(chosen), row.answer("rejected")};
}

void add_pair(Row& row, Records<PreferencePair>& out) {
  out.records.push_back(pair_of(row));
}

void add_pairs_of_list(Row& row, Records<PreferencePair>& out) {
  const auto list = list_of(row);
  auto scores = list.scores;
  // Without scores the completions stand best first.
  for (size_t i = 0; list.scores.empty() && i < list.completions.size(); ++i)
    scores.push_back(-static_cast<double>(i));
  const auto choice = choose_pairs(scores, row.options().pairs);
  if (choice.pairs.empty()) throw BadRecord{"all scores are equal", ""};
  out.report.ties += choice.ties;
  for (const auto indices : choice.pairs) {
    auto pair = make_pair_of(list, indices);
    if (strip(pair.chosen) != strip(pair.rejected)) {
      out.records.push_back(std::move(pair));
    } else if (choice.pairs.size() == 1) {
      throw BadRecord{"chosen equals rejected", excerpt(pair.chosen)};
    } else {
      ++out.report.ties;
    }
  }
}

}  // namespace

bool holds_conversation(Row& row) {
  const auto& chosen = row.field("chosen");
  return looks_like_messages(chosen) ||
         (chosen.is_string() && is_dialogue(chosen.get_ref<const std::string&>()));
}

PreferencePair pair_of(Row& row) {
  auto sides = sides_of(row);
  if (strip(sides.chosen) == strip(sides.rejected))
    throw BadRecord{"chosen equals rejected", excerpt(sides.chosen)};
  PreferencePair pair{std::move(sides.prompt), std::move(sides.chosen), std::move(sides.rejected)};
  pair.label = row.number("label", 0, 1).value_or(1);
  pair.weight = row.number("weight", 0, kInfinity).value_or(1);
  pair.margin = row.number("margin", -kInfinity, kInfinity);
  pair.extra = row.extra();
  return pair;
}

Records<PreferencePair> read_preference_pairs(const std::string& path, const ReadOptions& options) {
  static const std::vector<Form<PreferencePair>> forms{
      {{"prompt", "chosen", "rejected"}, &add_pair},
      {{"chosen", "rejected"}, &add_pair, &holds_conversation},
      {{"prompt", "completions"}, &add_pairs_of_list},
  };
  return read_records(path, options, forms);
}

}  // namespace plaudit
