// Transcripts of a reward model that calls tools before it scores, and the calculator as a judge.
//
// Source: Li et al., "Tool-Augmented Reward Modeling" (Themis), 2023, arXiv 2310.01045, and its code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plaudit {

struct ToolStep {
  std::string kind;    // "action", "work", "finish" or "none"
  std::string action;  // of "action": the tool
  std::string input;   // of "action": its input
  std::string body;    // of "work" and "finish": the text
};

// The next step of generated text, which is first cut at <start_observation> or at a line "Observation:".
// "Action: A Action Input: I" (digits and blanks may stand before the colons) is an action; else "Work:" or
// <start_work> is work, the text without those markers; else "Finished" ends, with the text behind the last
// one.
ToolStep parse_tool_step(std::string_view text);

struct ToolCall {
  std::string thought, action, input, observation;
};

// The transcript that the reward model reads: question and answer, with `context` when it is not empty, then
// the calls and the rationale `work` when it is not empty. Without `tools` only the question and the answer.
std::string tool_transcript(const std::string& question, const std::string& answer,
                            const std::string& context, const std::vector<ToolCall>& calls,
                            const std::string& work, bool tools = true);

struct CalculatorVerdict {
  std::string verdict;  // both_right, process_only, answer_only, both_wrong, no_answer
  bool process_correct;
  bool answer_correct;
  std::string observation;  // one sentence
};

// Checks "<<EXPR=..>>SHOWN, <<..>>.." step by step against the number on the "####" line of `answer`,
// relative tolerance 1e-6. The last value that could be computed is the result. The answer's own number is no
// gold label.
CalculatorVerdict calculator_check(std::string_view action_input, std::string_view answer);

}  // namespace plaudit
