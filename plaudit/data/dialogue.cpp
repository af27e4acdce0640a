#include "plaudit/data/dialogue.h"

#include <fmt/format.h>

#include <tuple>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/data/text.h"

namespace plaudit {
namespace {

constexpr std::string_view kHuman = "\n\nHuman:";
constexpr std::string_view kAssistant = "\n\nAssistant:";

struct Split {
  std::string_view prompt, answer;
};

Split split_at_last_answer(const Check& check, const char* argument, std::string_view text) {
  const size_t marker = text.rfind(kAssistant);
  if (marker == std::string_view::npos)
    check.refuse(ErrorKind::value, argument,
                 fmt::format("has no turn that starts with '\\n\\nAssistant:', got '{}'", excerpt(text)));
  const size_t end = marker + kAssistant.size();
  return {text.substr(0, end), strip(text.substr(end))};
}

// The marker that starts `text`, or "".
std::string_view marker_at_start(std::string_view text) {
  if (text.starts_with(kHuman)) return kHuman;
  return text.starts_with(kAssistant) ? kAssistant : std::string_view();
}

}  // namespace

DialoguePair split_dialogue_pair(std::string_view chosen, std::string_view rejected) {
  const Check check("preference.split_dialogue_pair");
  const auto good = split_at_last_answer(check, "chosen", chosen);
  const auto bad = split_at_last_answer(check, "rejected", rejected);
  return {std::string(good.prompt), std::string(good.answer), std::string(bad.answer),
          good.prompt == bad.prompt};
}

bool is_dialogue(std::string_view text) {
  return !marker_at_start(text).empty();
}

std::vector<Message> parse_dialogue(std::string_view text) {
  std::vector<Message> messages;
  while (!text.empty()) {
    const auto marker = marker_at_start(text);
    if (marker.empty())
      fail(ErrorKind::value, "dialogue",
           fmt::format("must start with '\\n\\nHuman:' or '\\n\\nAssistant:', got '{}'", excerpt(text)));
    text.remove_prefix(marker.size());
    const size_t end = std::min(text.find(kHuman), text.find(kAssistant));
    const auto content = strip(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end);
    const bool asks = marker == kAssistant && content.empty() && text.empty();
    if (!asks) messages.push_back({marker == kHuman ? "user" : "assistant", std::string(content)});
  }
  return messages;
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "split_dialogue_pair(str chosen, str rejected) -> (str prompt, str chosen, str rejected, bool "
      "same_prompt)",
      [](std::string chosen, std::string rejected) {
        auto pair = split_dialogue_pair(chosen, rejected);
        return std::tuple(std::move(pair.prompt), std::move(pair.chosen), std::move(pair.rejected),
                          pair.same_prompt);
      },
      "Prompt and answers of two whole dialogues in the hh-rlhf text format.", {"17", "48"});
}

}  // namespace plaudit
