#include "plaudit/data/records.h"

namespace plaudit {
namespace {

// Extra fields follow; a field of the record itself wins over an extra of the same name.
Json with_extra(Json record, const Json& extra) {
  for (const auto& [key, value] : extra.items()) {
    if (!record.contains(key)) record[key] = value;
  }
  return record;
}

}  // namespace

Json json_of(const std::vector<Message>& messages) {
  Json list = Json::array();
  for (const auto& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
  return list;
}

Json json_of(const Prompt& prompt) {
  return prompt.is_chat() ? json_of(prompt.messages) : Json(prompt.text);
}

Json json_of(const PreferencePair& pair) {
  Json record{{"prompt", json_of(pair.prompt)}, {"chosen", pair.chosen}, {"rejected", pair.rejected}};
  if (pair.label != 1) record["label"] = pair.label;
  if (pair.weight != 1) record["weight"] = pair.weight;
  if (pair.margin) record["margin"] = *pair.margin;
  return with_extra(std::move(record), pair.extra);
}

Json json_of(const UnpairedFeedback& feedback) {
  return with_extra({{"prompt", json_of(feedback.prompt)},
                     {"completion", feedback.completion},
                     {"label", feedback.desirable}},
                    feedback.extra);
}

Json json_of(const RankedList& list) {
  Json record{{"prompt", json_of(list.prompt)}, {"completions", list.completions}};
  if (!list.scores.empty()) record["scores"] = list.scores;
  return with_extra(std::move(record), list.extra);
}

Json json_of(const Demonstration& demonstration) {
  Json record{{"prompt", json_of(demonstration.prompt)}, {"completion", demonstration.completion}};
  if (demonstration.weight != 1) record["weight"] = demonstration.weight;
  return with_extra(std::move(record), demonstration.extra);
}

Json json_of(const PromptRecord& record) {
  return with_extra({{"prompt", json_of(record.prompt)}}, record.extra);
}

}  // namespace plaudit
