// Sampled answers as an artefact: what `sample` writes and `label` reads.
#pragma once

#include <string>
#include <vector>

#include "plaudit/data/records.h"
#include "plaudit/feedback/pair_labels.h"

namespace plaudit {

struct SampledAnswers {
  std::vector<RankedList> lists;  // prompts with completions, no scores; `extra` of the prompt's record
  // The tokens of each answer as they were drawn, [lists][answers]; empty where only texts are known.
  std::vector<std::vector<std::vector<int64_t>>> ids = {};
  // Who wrote each completion, "policy" or "reference"; empty: the policy all.
  std::vector<std::vector<std::string>> writers = {};
};

// The same for a judge, not yet judged.
std::vector<JudgedAnswers> to_judge(const SampledAnswers& answers);

// answers.jsonl in the folder: one prompt with its completions per line.
void save_answers(const SampledAnswers& answers, const std::string& folder);
SampledAnswers load_answers(const std::string& folder);

}  // namespace plaudit
