#include "plaudit/data/revision.h"

namespace plaudit {

const char* const kReviseInstruction = "Write a better answer to my first message.";
const char* const kBetterInstruction =
    "Rewrite your answer so that it is more helpful, correct, coherent and concise.";
const char* const kWorseInstruction =
    "Rewrite your answer so that it is unhelpful, incorrect, incoherent and verbose.";

Prompt revision_prompt(const Prompt& prompt, const std::string& answer, const std::string& instruction) {
  if (!prompt.is_chat()) return {prompt.text + answer + "\n\n" + instruction + "\n\n", {}};
  auto out = prompt;
  out.messages.push_back({"assistant", answer});
  out.messages.push_back({"user", instruction});
  return out;
}

}  // namespace plaudit
