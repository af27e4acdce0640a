#include "plaudit/data/answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "plaudit/core/errors.h"
#include "plaudit/data/tokenize_pair.h"

namespace plaudit {
namespace {

size_t longest(const std::vector<std::vector<int64_t>>& answers) {
  size_t out = 0;
  for (const auto& answer : answers) out = std::max(out, answer.size());
  return out;
}

}  // namespace

template <>
void describe(OptionTable<AnswerOptions>& t) {
  t.field("max_length", &AnswerOptions::max_length,
          "most tokens of prompt and answer together, the ending token included", at_least(1));
  t.field("max_prompt_length", &AnswerOptions::max_prompt_length,
          "tokens that an over-long example keeps of its prompt", at_least(0));
  t.field("on_long", &AnswerOptions::on_long,
          "an example above max_length: error, truncate (counted) or drop (counted)",
          one_of({"error", "truncate", "drop"}));
  t.field("truncation", &AnswerOptions::truncation, "which part of a cut prompt stays",
          one_of({"keep_end", "keep_start"}));
}

int64_t TokenizedAnswers::tokens() const {
  auto total = prompt.size();
  for (const auto& answer : answers) total += answer.size();
  return static_cast<int64_t>(total);
}

AnswerEncoder::AnswerEncoder(std::shared_ptr<const Tokenizer> tokenizer, std::string chat_family,
                             AnswerOptions options, AnswerEnd end, int64_t window)
    : tokenizer_(std::move(tokenizer)),
      chat_family_(std::move(chat_family)),
      options_(std::move(options)),
      end_(end) {
  if (tokenizer_->eos_id() < 0)
    fail(ErrorKind::value, "answers", "the tokenizer names no token that ends an answer");
  if (window > 0 && window < options_.max_length) {
    options_.max_length = window;
    whole_window_ = true;
  }
  if (options_.on_long == "truncate" && options_.max_prompt_length >= options_.max_length)
    fail(ErrorKind::value, "max_prompt_length",
         fmt::format("must be < {} ({}) to leave room for an answer, got {}",
                     whole_window_ ? "the model's window" : "max_length", options_.max_length,
                     options_.max_prompt_length));
}

std::optional<TokenizedAnswers> AnswerEncoder::encode(std::string_view where, const Prompt& prompt,
                                                      const std::vector<std::string>& answers) {
  TokenizedAnswers example{tokenizer_->encode_prompt(prompt, chat_family_), {}};
  for (const auto& answer : answers) {
    example.answers.push_back(tokenizer_->encode(answer, {.add_special = false, .parse_special = false}));
    example.answers.back().push_back(tokenizer_->eos_id());
    if (example.prompt.empty() && example.answers.back().size() == 1)
      fail(ErrorKind::empty, where, "prompt and answer are both empty, so no token has a context");
  }
  if (!fit(where, example)) {
    ++counts_.dropped;
    return std::nullopt;
  }
  ++counts_.examples;
  counts_.tokens += example.tokens();
  return example;
}

bool AnswerEncoder::fit(std::string_view where, TokenizedAnswers& example) {
  const auto limit = static_cast<size_t>(options_.max_length);
  const auto answer_length = longest(example.answers);
  if (example.prompt.size() + answer_length <= limit) return true;
  if (options_.on_long == "drop") return false;
  if (options_.on_long == "error")
    fail(ErrorKind::value, where,
         fmt::format("prompt ({} tokens) and answer ({}) exceed {} {}set on_long to truncate or drop",
                     example.prompt.size(), answer_length,
                     whole_window_ ? "the model's window of" : "max_length",
                     whole_window_ ? fmt::format("{}; ", limit) : fmt::format("{}; raise it, or ", limit)));
  const auto prompt_length = example.prompt.size();
  cut_prompt(example.prompt, options_.max_prompt_length, options_.truncation);
  if (example.prompt.size() < prompt_length) ++counts_.prompts_cut;
  if (example.prompt.size() + answer_length <= limit) return true;
  const auto keep = static_cast<size_t>(options_.max_length - options_.max_prompt_length);
  bool cut = false;
  for (auto& answer : example.answers) {
    if (answer.size() <= keep) continue;
    answer.resize(keep);
    if (end_ == AnswerEnd::closed) answer.back() = tokenizer_->eos_id();
    cut = true;
  }
  if (cut) ++counts_.answers_cut;
  return true;
}

}  // namespace plaudit
