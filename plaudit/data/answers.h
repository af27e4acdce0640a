// A prompt and its answers as token ids: what training and scoring feed to a model.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/data/records.h"
#include "plaudit/data/tokenizer.h"

namespace plaudit {

struct AnswerOptions {
  int64_t max_length = 1024;            // tokens of prompt and answer together, the ending token included
  int64_t max_prompt_length = 512;      // tokens that an over-long example keeps of its prompt
  std::string on_long = "error";        // error, truncate, drop
  std::string truncation = "keep_end";  // which part of a cut prompt stays: keep_end, keep_start
};

template <>
void describe(OptionTable<AnswerOptions>& table);

struct TokenizedAnswers {
  std::vector<int64_t> prompt;
  std::vector<std::vector<int64_t>> answers;  // each with the ending token, unless it was cut

  int64_t tokens() const;  // of the prompt, once, and all answers
};

// What became of the examples.
struct AnswerCounts {
  int64_t examples = 0;  // kept
  int64_t prompts_cut = 0;
  int64_t answers_cut = 0;  // examples of which some answer lost its end
  int64_t dropped = 0;
  int64_t tokens = 0;
};

// What is left of an answer that does not fit.
enum class AnswerEnd {
  cut,    // its first tokens, without an ending token: for a policy, which must not learn to stop there
  closed  // the same with the last one replaced by the ending token: for a score that is read there
};

// Encodes examples one by one and counts. Prompt and answer are tokenised apart, so that the boundary never
// moves; the answer is read as plain text, so special tokens cannot be smuggled in; the tokenizer's ending
// token is appended to each answer, also to an empty one. When prompt and longest answer exceed max_length,
// on_long decides: "error" refuses, "drop" leaves the example out, "truncate" cuts the prompt to
// max_prompt_length and, if that is not enough, the answers to max_length - max_prompt_length (the rule of
// preference.tokenize_pair).
class AnswerEncoder {
 public:
  // `window`: positions that the model has, which no max_length exceeds; 0: unlimited. UserError (value) when
  // the tokenizer has no ending token or the options contradict each other.
  AnswerEncoder(std::shared_ptr<const Tokenizer> tokenizer, std::string chat_family, AnswerOptions options,
                AnswerEnd end, int64_t window = 0);

  // nullopt when the example was dropped. `where` starts the error messages, e.g. "example 12".
  std::optional<TokenizedAnswers> encode(std::string_view where, const Prompt& prompt,
                                         const std::vector<std::string>& answers);
  const AnswerCounts& counts() const { return counts_; }
  // Tokens of the longest example that fits.
  int64_t max_length() const { return options_.max_length; }

 private:
  // False when the example is to be dropped.
  bool fit(std::string_view where, TokenizedAnswers& example);

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string chat_family_;
  AnswerOptions options_;
  bool whole_window_ = false;  // max_length is that of the model
  AnswerEnd end_;
  AnswerCounts counts_;
};

}  // namespace plaudit
