// Dialogues written as text, as hh-rlhf does: turns that start with "\n\nHuman:" or "\n\nAssistant:".
//
// Format: Bai et al., "Training a Helpful and Harmless Assistant with RLHF", 2022, arXiv 2204.05862.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plaudit/data/records.h"

namespace plaudit {

struct DialoguePair {
  std::string prompt;            // the chosen text up to and including its last "\n\nAssistant:"
  std::string chosen, rejected;  // what follows it on each side, stripped of surrounding white space
  bool same_prompt = true;       // the rejected text has the same prompt
};

// UserError of kind value when either text has no "\n\nAssistant:".
DialoguePair split_dialogue_pair(std::string_view chosen, std::string_view rejected);

// True when the text starts with a turn marker.
bool is_dialogue(std::string_view text);

// The turns of a dialogue as chat messages (Human: user, Assistant: assistant), contents stripped. A final
// "\n\nAssistant:" with nothing after it asks for an answer and gives no message. UserError of kind value
// when the text does not start with a marker.
std::vector<Message> parse_dialogue(std::string_view text);

}  // namespace plaudit
