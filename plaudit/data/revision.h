// Asking for a revision of an answer that stands in the context.
#pragma once

#include <string>

#include "plaudit/data/records.h"

namespace plaudit {

// The prompt that shows an answer and asks for another: a chat gets the answer as the assistant's turn and
// `instruction` as the user's, plain text the answer and the instruction on lines of their own. What is
// generated behind it is the revision.
Prompt revision_prompt(const Prompt& prompt, const std::string& answer, const std::string& instruction);

// "Write a better answer to my first message." and what the two sides of contrasting prompts ask for by
// default.
extern const char* const kReviseInstruction;
extern const char* const kBetterInstruction;
extern const char* const kWorseInstruction;

}  // namespace plaudit
