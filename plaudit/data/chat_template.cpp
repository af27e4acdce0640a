#include "plaudit/data/chat_template.h"

#include <fmt/format.h>

#include <map>

#include "plaudit/core/checks.h"
#include "plaudit/core/hash.h"
#include "plaudit/core/registry.h"
#include "plaudit/data/text.h"

namespace plaudit {
namespace {

const Check kCheck("decode.apply_chat_template");

constexpr std::string_view kSmolLm2System =
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
constexpr std::string_view kQwen2System =
    "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";

std::string chatml(const std::vector<Message>& messages, bool add_generation_prompt,
                   std::string_view default_system) {
  std::string out;
  const auto turn = [&](std::string_view role, std::string_view content) {
    out += fmt::format("<|im_start|>{}\n{}<|im_end|>\n", role, content);
  };
  if (!default_system.empty() && messages.front().role != "system") turn("system", default_system);
  for (const auto& message : messages) turn(message.role, message.content);
  return add_generation_prompt ? out + "<|im_start|>assistant\n" : out;
}

std::string llama3(const std::vector<Message>& messages, bool add_generation_prompt) {
  std::string out = "<|begin_of_text|>";
  const auto header = [](std::string_view role) {
    return fmt::format("<|start_header_id|>{}<|end_header_id|>\n\n", role);
  };
  for (const auto& message : messages)
    out += header(message.role) + std::string(strip(message.content)) + "<|eot_id|>";
  return add_generation_prompt ? out + header("assistant") : out;
}

std::string gemma(const std::vector<Message>& messages, bool add_generation_prompt) {
  const bool system = messages.front().role == "system";
  if (system && messages.size() == 1)
    kCheck.refuse(ErrorKind::value, "messages", "need a user turn to carry the system text (family gemma)");
  std::string out = "<bos>";
  for (size_t i = system ? 1 : 0; i < messages.size(); ++i) {
    const size_t turn = i - (system ? 1 : 0);
    const std::string expected = turn % 2 == 0 ? "user" : "assistant";
    if (messages[i].role != expected)
      kCheck.refuse(ErrorKind::value, "messages",
                    fmt::format("must alternate between user and assistant, user first (family gemma): "
                                "messages[{}] must be '{}', got '{}'",
                                i, expected, messages[i].role));
    out += fmt::format("<start_of_turn>{}\n", expected == "user" ? "user" : "model");
    if (turn == 0 && system) out += messages.front().content + "\n\n";
    out += fmt::format("{}<end_of_turn>\n", strip(messages[i].content));
  }
  return add_generation_prompt ? out + "<start_of_turn>model\n" : out;
}

using Render = std::string (*)(const std::vector<Message>&, bool);

const std::map<std::string, Render>& families() {
  static const std::map<std::string, Render> table = {
      {"chatml", [](const std::vector<Message>& m, bool add) { return chatml(m, add, ""); }},
      {"smollm2", [](const std::vector<Message>& m, bool add) { return chatml(m, add, kSmolLm2System); }},
      {"qwen2", [](const std::vector<Message>& m, bool add) { return chatml(m, add, kQwen2System); }},
      {"llama3", llama3},
      {"gemma", gemma},
  };
  return table;
}

}  // namespace

const std::vector<std::string>& chat_families() {
  static const std::vector<std::string> names = {"chatml", "smollm2", "qwen2", "llama3", "gemma"};
  return names;
}

std::string_view default_system(const std::string& family) {
  return family == "smollm2" ? kSmolLm2System : family == "qwen2" ? kQwen2System : "";
}

std::string apply_chat_template(const std::vector<Message>& messages, const std::string& family,
                                bool add_generation_prompt) {
  kCheck.choice("family", family, chat_families());
  if (messages.empty()) kCheck.refuse(ErrorKind::empty, "messages", "must not be empty");
  return families().at(family)(messages, add_generation_prompt);
}

std::string family_of_template(std::string_view source) {
  static const std::map<uint64_t, std::string> known = {
      {0xb35de0bd3d5b739dULL, "smollm2"},  // of the GGUF file of SmolLM2-135M-Instruct
      {0xce5492887ebb64f5ULL, "smollm2"},  // of its folder, with escaped line breaks
      {0x91a83259d39c8f0eULL, "chatml"},
  };
  const auto found = known.find(hash64(source));
  return found == known.end() ? "" : found->second;
}

std::vector<Message> messages_from_json(const Json& list, const std::string& where) {
  if (!list.is_array()) fail(ErrorKind::type, where, "must be a list of {\"role\", \"content\"}");
  std::vector<Message> out;
  for (size_t i = 0; i < list.size(); ++i) {
    const auto& entry = list[i];
    const auto here = fmt::format("{}[{}]", where, i);
    if (!entry.is_object()) fail(ErrorKind::type, here, "must be {\"role\", \"content\"}");
    const auto text = [&](const std::string& key) {
      const auto found = entry.find(key);
      if (found == entry.end() || !found->is_string())
        fail(ErrorKind::type, here, "needs the text '" + key + "'");
      return found->get<std::string>();
    };
    out.push_back({text("role"), text("content")});
    for (const auto& [key, value] : entry.items()) {
      if (key != "role" && key != "content")
        fail(ErrorKind::value, here,
             "has the unknown key '" + key + "'" + suggestion(key, {"role", "content"}));
    }
  }
  return out;
}

namespace {

std::string apply_chat_template_op(const std::string& messages, const std::string& family,
                                   bool add_generation_prompt) {
  const Json list = Json::parse(messages, nullptr, false);
  if (list.is_discarded())
    kCheck.refuse(ErrorKind::type, "messages", "must be a list of {\"role\", \"content\"}, got " + messages);
  return apply_chat_template(messages_from_json(list, "decode.apply_chat_template: messages"), family,
                             add_generation_prompt);
}

}  // namespace

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "apply_chat_template(str messages, *, str family, bool add_generation_prompt=False) -> str text",
      &apply_chat_template_op,
      "Chat messages [{role, content}] as the text of a model family: chatml, smollm2, qwen2, llama3, gemma.",
      {"90"});
}

}  // namespace plaudit
