// The records of plaudit: what people, programs and models say about answers.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace plaudit {

using Json = nlohmann::ordered_json;

// One turn of a chat.
struct Message {
  std::string role;  // "system", "user", "assistant"
  std::string content;
  bool operator==(const Message&) const = default;
};

// A prompt is either plain text, fed to the model as it is, or chat messages, rendered by the model's chat
// template with the generation prompt appended.
struct Prompt {
  std::string text;
  std::vector<Message> messages;  // used when not empty
  bool is_chat() const { return !messages.empty(); }
  bool operator==(const Prompt&) const = default;
};

struct PreferencePair {
  Prompt prompt;
  std::string chosen;
  std::string rejected;
  double label = 1;                             // probability that chosen is the better one, [0, 1]
  double weight = 1;                            // >= 0
  std::optional<double> margin = std::nullopt;  // how much better, in units of reward
  Json extra = Json::object();                  // further fields of the source record, kept
};

struct UnpairedFeedback {
  Prompt prompt;
  std::string completion;
  bool desirable = true;
  Json extra = Json::object();
};

// K completions of one prompt with a score each (higher is better), or best first when scores are absent.
struct RankedList {
  Prompt prompt;
  std::vector<std::string> completions;
  std::vector<double> scores;  // empty, or one per completion
  Json extra = Json::object();
};

struct Demonstration {
  Prompt prompt;
  std::string completion;
  double weight = 1;
  Json extra = Json::object();
};

// A prompt of a file, with what else its record holds (a reference answer, a category).
struct PromptRecord {
  Prompt prompt;
  Json extra = Json::object();
};

// Messages as [{"role", "content"}], a prompt as that list or as text.
Json json_of(const std::vector<Message>& messages);
Json json_of(const Prompt& prompt);

// One object per record under the names that the readers know (data/reader.h), then the extra fields. Values
// at their default (label 1, weight 1, no margin, no scores) are left out.
Json json_of(const PreferencePair& pair);
Json json_of(const UnpairedFeedback& feedback);
Json json_of(const RankedList& list);
Json json_of(const Demonstration& demonstration);
Json json_of(const PromptRecord& record);

}  // namespace plaudit
