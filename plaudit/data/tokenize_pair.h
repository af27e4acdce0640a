// A preference pair as token ids: EOS appended, truncated, labelled.
//
// Source: the tokenisation of the official DPO code (Rafailov et al. 2023, arXiv 2305.18290).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plaudit {

struct TokenizePairOptions {
  int64_t max_length = 512;             // tokens of prompt and answer together, >= 1
  int64_t max_prompt_length = 256;      // tokens that an over-long pair keeps of its prompt, >= 0
  std::string truncation = "keep_end";  // which part of the prompt stays: "keep_end" or "keep_start"
};

// Leaves `keep` tokens of an over-long prompt: its end ("keep_end") or its start.
void cut_prompt(std::vector<int64_t>& prompt, int64_t keep, const std::string& truncation);

// The parts of a pair that fits.
struct TruncatedPair {
  std::vector<int64_t> prompt;
  std::vector<int64_t> chosen, rejected;  // with EOS, unless an answer was cut
  bool prompt_cut = false;
  bool answers_cut = false;  // at least one answer lost its end
};

// Appends `eos_id` to both answers. When prompt + longer answer exceed max_length, the prompt is cut to
// max_prompt_length; when that is still too long, both answers are cut to max_length - max_prompt_length,
// which drops EOS. An empty prompt or answer is allowed. UserErrors of kind value: ids below 0, a prompt or
// answer that already holds `eos_id`, options out of range, and answers to be cut where max_prompt_length
// leaves no room.
TruncatedPair truncate_pair(std::vector<int64_t> prompt, std::vector<int64_t> chosen,
                            std::vector<int64_t> rejected, int64_t eos_id,
                            const TokenizePairOptions& options = {});

// Prompt and answer of each side in one row, with labels: the id where a token counts, -100 on the prompt.
struct TokenizedPair {
  std::vector<int64_t> chosen_ids, chosen_labels;
  std::vector<int64_t> rejected_ids, rejected_labels;
};

TokenizedPair tokenize_pair(const std::vector<int64_t>& prompt, const std::vector<int64_t>& chosen,
                            const std::vector<int64_t>& rejected, int64_t eos_id,
                            const TokenizePairOptions& options = {});

}  // namespace plaudit
