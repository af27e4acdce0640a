// Preference pairs from judged answers, with wrong labels on purpose where a study asks for them.
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/core/rng.h"
#include "plaudit/data/selection.h"
#include "plaudit/feedback/judge.h"

namespace plaudit {

// Several answers to one prompt and what a judge says of each.
struct JudgedAnswers {
  Prompt prompt;
  std::vector<std::string> completions;
  std::vector<Judgement> judgements;  // one per completion
  Json extra = Json::object();
  std::vector<std::string> writers = {};  // "policy" or "reference", one per completion; empty: not known
};

// Fills in the judgements of all lists with one call of the judge.
void judge_answers(Judge& judge, std::vector<JudgedAnswers>& lists);

struct PairLabelOptions {
  std::string pairs =
      "best-worst";               // which pairs of the answers to a prompt: best-worst, adjacent, all, margin
  double noise = 0;               // probability that the label of a pair is turned round, in [0, 1)
  std::string scores = "judge";   // the judge's, or win-rate: the share of the other answers that it beats
  MarginPairOptions margin = {};  // of pairs "margin"; the teacher is the reference
  std::optional<double> max_repetition = {};  // of pairs "margin": above this share of repeats it loses
  double soft_labels = 0;  // 0: labels are 1; else sigma(this times the difference of scores)
};
template <>
void describe(OptionTable<MarginPairOptions>& table);
template <>
void describe(OptionTable<PairLabelOptions>& table);

struct PairLabelReport {
  int64_t prompts = 0;     // lists given
  int64_t answers = 0;     // answers in them
  int64_t failed = 0;      // answers that the judge could not judge; left out
  int64_t empty = 0;       // answers of nothing but white space; left out
  int64_t repeated = 0;    // answers that another answer of the prompt equals; left out
  int64_t skipped = 0;     // prompts with fewer than two answers left
  int64_t ties = 0;        // pairs with equal scores; left out
  int64_t pairs = 0;       // pairs made
  int64_t flipped = 0;     // of these, with the label turned round
  int64_t unclear = 0;     // prompts of which no pair has the margin; left out
  int64_t repetitive = 0;  // answers above max_repetition
};
Json json_of(const PairLabelReport& report);

struct LabelledPairs {
  std::vector<PreferencePair> pairs;
  std::vector<RankedList> lists;  // the answers that can be compared, with scores; at least two each
  PairLabelReport report;
};

// The better score is chosen; `chosen_score` and `rejected_score`, and where known `chosen_writer` and
// `rejected_writer`, join the extra fields. Pairs "margin" are those of margin_pairs (data/selection.h). With
// noise, each pair is turned round with that probability by a draw from rng.child(index of the list), so that
// the labels of one prompt do not depend on the others; every pair then carries `flipped` true or false.
// UserErrors: no lists (empty), judgements that do not match the completions (shape), a score that is not
// finite (nan), an option out of range (value).
LabelledPairs label_pairs(const std::vector<JudgedAnswers>& lists, const PairLabelOptions& options,
                          const Rng& rng);

}  // namespace plaudit
