// Options that several stages share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/data/reader.h"
#include "plaudit/eval/interval.h"
#include "plaudit/feedback/judges.h"
#include "plaudit/model/generate.h"
#include "plaudit/run/policy.h"
#include "plaudit/run/stage.h"

namespace plaudit {

// Which judge, with its settings: those of feedback/judges.h, and `reward-model`, the recipe's own.
struct JudgeChoice {
  std::string judge = "lexicon";
  std::string lexicon;
  std::optional<int64_t> words = {};
};
template <>
void describe(OptionTable<JudgeChoice>& table);

// The artefacts that the judge reads.
Names judge_reads(const JudgeChoice& choice);
// Refuses a judge that cannot be made.
void check_judge(const JudgeChoice& choice);
std::unique_ptr<Judge> make_judge(const JudgeChoice& choice, RunContext& context);

// A judge whose scores are one objective among several.
struct ObjectiveChoice {
  JudgeChoice judge = {};
  std::string as;  // "": the judge's name
  double scale = 1;
};
template <>
void describe(OptionTable<ObjectiveChoice>& table);

std::string objective_name(const ObjectiveChoice& choice);

// Where prompts come from.
struct PromptChoice {
  std::string prompts;  // file
  std::optional<int64_t> limit = {};
  int64_t skip = 0;
  std::string plain_prompts = "text";
  std::string decontaminate;  // file of test prompts; "": none
};
template <>
void describe(OptionTable<PromptChoice>& table);

void check_prompts(const PromptChoice& choice);
// As the file has them, those of `skip` left out. UserErrors: those of read_prompts; none is left (empty).
Records<PromptRecord> read_prompt_choice(const PromptChoice& choice);
// The prompts, what was refused counted in the summary.
std::vector<PromptRecord> load_prompt_records(const PromptChoice& choice, RunContext& context);
std::vector<Prompt> prompts_of(const std::vector<PromptRecord>& records);
std::vector<Prompt> load_prompts(const PromptChoice& choice, RunContext& context);
// As reports show it: the text, or the last message of a chat.
const std::string& shown_prompt(const Prompt& prompt);

// What is compared with a test, and how it is spoken of.
struct TestOverlap {
  std::string test;     // file of test prompts; "": none
  std::string source;   // file that the records come from
  std::string what;     // "records"
  int64_t skipped = 0;  // records of the source before the first of these
};

// Which of these user turns overlap the test: more than half the words of one of its prompts lie in runs of 8
// that occur here (data/decontaminate.h). They are counted as "`what` that overlap the test", and the report
// lists the first 20 of them.
std::vector<bool> find_overlaps(const TestOverlap& overlap, const std::vector<Prompt>& prompts,
                                RunContext& context);

// The records whose prompts do not overlap the test; all without one.
template <class Record>
std::vector<Record> without_overlap(std::vector<Record> records, const TestOverlap& overlap,
                                    RunContext& context) {
  if (overlap.test.empty()) return records;
  std::vector<Prompt> prompts;
  for (const auto& record : records) prompts.push_back(record.prompt);
  const auto overlaps = find_overlaps(overlap, prompts, context);
  std::vector<Record> clean;
  for (size_t i = 0; i < records.size(); ++i)
    if (!overlaps[i]) clean.push_back(std::move(records[i]));
  return clean;
}

// Prompts that a policy answers while it is trained, and who scores the answers.
struct RolloutChoice {
  PromptChoice prompts = {};
  JudgeChoice judge = {.judge = "verifier"};
  SamplingOptions sampling = {.max_new_tokens = 64, .per_prompt = 8};
};
template <>
void describe(OptionTable<RolloutChoice>& table);

template <>
void describe(OptionTable<SamplingOptions>& table);

// The temperature at which policies are compared: that of sampling, and 1 where the likeliest token is taken.
double kl_temperature(const SamplingOptions& sampling);

// UserError (io) naming `key` when there is no such file.
void check_file(const std::string& key, const std::string& path);

// A metric with its interval.
void add_metric(Summary& summary, const std::string& name, const eval::Interval& interval);

}  // namespace plaudit
