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
//   llama3   Llama 3's headers; contents trimmed, as the template of its files does (Meta's own formatter
//   does
//            not)
//   gemma    Gemma's turns; contents trimmed, assistant written as model, an untrimmed system text in front
//   of
//            the first user turn; user and assistant must alternate, user first
const std::vector<std::string>& chat_families();

// UserError: kind empty without messages; kind value for an unknown family (with the nearest), and for roles
// that the family does not take.
std::string apply_chat_template(const std::vector<Message>& messages, const std::string& family,
                                bool add_generation_prompt);

// The built-in family that equals this Jinja template, by its hash; "" for any other template.
std::string family_of_template(std::string_view source);

// [{"role", "content"}, ...] from JSON; kind type, starting with `where`, for anything else.
std::vector<Message> messages_from_json(const Json& list, const std::string& where);

}  // namespace plaudit
