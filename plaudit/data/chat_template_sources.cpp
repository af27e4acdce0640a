// The built-in chat families as Jinja templates; tests/python/test_tokenizer.py holds them against
// apply_chat_template of both sides.
#include <fmt/format.h>

#include "plaudit/core/checks.h"
#include "plaudit/data/chat_template.h"

namespace plaudit {
namespace {

// Without the line breaks in between, which are there for the reader.
std::string joined(std::string_view source) {
  std::string out;
  for (const char c : source) {
    if (c != '\n') out += c;
  }
  return out;
}

// {}: what comes before the first message.
constexpr std::string_view kChatml = R"(
{{%- for message in messages -%}}{}
{{{{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' -}}}}
{{%- endfor -%}}
{{%- if add_generation_prompt -%}}{{{{- '<|im_start|>assistant\n' -}}}}{{%- endif -%}})";

constexpr std::string_view kSystem = R"(
{{%- if loop.first and message['role'] != 'system' -%}}
{{{{- '<|im_start|>system\n{}<|im_end|>\n' -}}}}
{{%- endif -%}})";

constexpr std::string_view kLlama3Source = R"(
{{- '<|begin_of_text|>' -}}
{%- for message in messages -%}
{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
{%- endif -%})";

constexpr std::string_view kGemma = R"(
{{- '<bos>' -}}
{%- if messages[0]['role'] == 'system' -%}
{%- set system = messages[0]['content'] + '\n\n' -%}
{%- set turns = messages[1:] -%}
{%- else -%}
{%- set system = '' -%}
{%- set turns = messages -%}
{%- endif -%}
{%- for message in turns -%}
{%- if message['role'] != ('user' if loop.index0 % 2 == 0 else 'assistant') -%}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
{%- endif -%}
{{- '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user') + '\n' -}}
{%- if loop.first -%}{{- system -}}{%- endif -%}
{{- message['content'] | trim -}}{{- '<end_of_turn>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%})";

std::string chatml_source(std::string_view system) {
  const auto first = system.empty() ? "" : fmt::format(fmt::runtime(kSystem), system);
  return joined(fmt::format(fmt::runtime(kChatml), first));
}

}  // namespace

std::string chat_template_source(const std::string& family) {
  Check("chat_template_source").choice("family", family, chat_families());
  if (family == "llama3") return joined(kLlama3Source);
  if (family == "gemma") return joined(kGemma);
  return chatml_source(default_system(family));
}

}  // namespace plaudit
