// Sampled answers with scores, of one objective or several: what `score` writes, and what learns from scores
// of whole answers reads.
#pragma once

#include <string>
#include <vector>

#include "plaudit/data/answers.h"
#include "plaudit/model/transformer.h"
#include "plaudit/run/answers.h"

namespace plaudit {

struct ScoredAnswers {
  SampledAnswers answers;
  std::vector<std::string> objectives;
  std::vector<std::vector<std::vector<double>>> scores;  // [lists][answers][objectives]; NaN: not judged
};

// scored.jsonl in the folder.
void save_scored_answers(const ScoredAnswers& scored, const std::string& folder);
ScoredAnswers load_scored_answers(const std::string& folder);

// Whether both hold the same answers to the same prompts.
bool same_answers(const SampledAnswers& a, const SampledAnswers& b);

// Prompts and answers of a list as the model reads them: the very tokens that were drawn, where they are
// known, else the text with an ending token.
TokenizedAnswers tokenized(const LanguageModel& model, const SampledAnswers& answers, size_t list);

// Lists with the answers that every objective could judge; lists without any are left out. The number of
// answers left out is added to `failed`.
ScoredAnswers judged_alone(const ScoredAnswers& scored, int64_t& failed);

}  // namespace plaudit
