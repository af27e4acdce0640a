// Chat messages as the text that a model was trained on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plaudit/data/records.h"

namespace plaudit {

// The built-in families:
//   chatml   <|im_start|>role\ncontent<|im_end|>\n for every message
//   smollm2  chatml; SmolLM2's system sentence when the first message is not a system one
//   qwen2    chatml; Qwen's system sentence likewise
//   llama3   Llama 3's headers; contents trimmed, as by the template of its files (not by Meta's formatter)
//   gemma    Gemma's turns; contents trimmed, assistant written as model, an untrimmed system text in front
//            of the first user turn; user and assistant must alternate, user first
const std::vector<std::string>& chat_families();

// UserError: kind empty without messages; kind value for an unknown family (with the nearest), and for roles
// that the family does not take.
std::string apply_chat_template(const std::vector<Message>& messages, const std::string& family,
                                bool add_generation_prompt);

// The system text that a family puts in front of a chat that has none, "" for most.
std::string_view default_system(const std::string& family);

// The Jinja template of a family, for programs that read one from a file.
std::string chat_template_source(const std::string& family);

// The built-in family that equals this Jinja template, by its hash; "" for any other template.
std::string family_of_template(std::string_view source);

// [{"role", "content"}, ...] from JSON; kind type, starting with `where`, for anything else.
std::vector<Message> messages_from_json(const Json& list, const std::string& where);

}  // namespace plaudit
