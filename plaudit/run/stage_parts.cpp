#include "plaudit/run/stage_parts.h"

#include <filesystem>

#include "plaudit/data/decontaminate.h"
#include "plaudit/data/text.h"

namespace plaudit {

template <>
void describe(OptionTable<JudgeChoice>& t) {
  std::vector<std::string> names = {"reward-model"};
  std::string doc = "who scores the answers: reward-model (the recipe's)";
  for (const auto& judge : judges()) {
    names.push_back(judge.name);
    doc += ", " + judge.name + " (" + judge.doc + ")";
  }
  t.field("judge", &JudgeChoice::judge, doc, one_of(names));
  t.field("lexicon", &JudgeChoice::lexicon,
          "lexicon: file of lines 'token TAB mean'; empty for the one that vaderSentiment installs");
  t.field("words", &JudgeChoice::words, "length: the number of words that an answer should have",
          at_least(0));
}

Names judge_reads(const JudgeChoice& choice) {
  return choice.judge == "reward-model" ? Names{"reward_model"} : Names{};
}

void check_judge(const JudgeChoice& choice) {
  if (choice.judge != "reward-model") {
    make_judge(JudgeOptions{choice.judge, choice.lexicon, choice.words});
    return;
  }
  if (!choice.lexicon.empty()) fail(ErrorKind::value, "lexicon", "is not an option of judge reward-model");
  if (choice.words) fail(ErrorKind::value, "words", "is not an option of judge reward-model");
}

std::unique_ptr<Judge> make_judge(const JudgeChoice& choice, RunContext& context) {
  if (choice.judge == "reward-model")
    return std::make_unique<RewardModelJudge>(context.get<RecipeRewardModel>("reward_model").model);
  return make_judge(JudgeOptions{choice.judge, choice.lexicon, choice.words});
}

template <>
void describe(OptionTable<ObjectiveChoice>& t) {
  t.include(&ObjectiveChoice::judge);
  t.field("as", &ObjectiveChoice::as, "name of the objective; empty: the judge's");
  t.field("scale", &ObjectiveChoice::scale, "multiplies the scores, so that objectives are of one size");
}

std::string objective_name(const ObjectiveChoice& choice) {
  return choice.as.empty() ? choice.judge.judge : choice.as;
}

template <>
void describe(OptionTable<PromptChoice>& t) {
  t.field("prompts", &PromptChoice::prompts, "file of prompts: JSON lines or Parquet");
  t.field("limit", &PromptChoice::limit, "use only the first so many", at_least(1));
  t.field("skip", &PromptChoice::skip, "leave out the first so many", at_least(0));
  t.field("plain_prompts", &PromptChoice::plain_prompts,
          "what a prompt of plain text becomes: itself, or the user message of a chat",
          one_of({"text", "chat"}));
  t.field("decontaminate", &PromptChoice::decontaminate,
          "file of test prompts: leave out what covers more than half of one of them by runs of 8 words");
}

template <>
void describe(OptionTable<RolloutChoice>& t) {
  t.include(&RolloutChoice::prompts);
  t.include(&RolloutChoice::judge);
  t.include(&RolloutChoice::sampling);
}

void check_file(const std::string& key, const std::string& path) {
  if (path.empty()) fail(ErrorKind::value, key, "must name a file");
  if (!std::filesystem::is_regular_file(path)) fail(ErrorKind::io, key, "there is no file " + path);
}

void check_prompts(const PromptChoice& choice) {
  check_file("prompts", choice.prompts);
  if (!choice.decontaminate.empty()) check_file("decontaminate", choice.decontaminate);
}

namespace {

constexpr size_t kListedOverlaps = 20;

// What users said; the answers of a conversation are no questions of a test.
std::string user_text(const Prompt& prompt) {
  if (!prompt.is_chat()) return prompt.text;
  std::string out;
  for (const auto& message : prompt.messages)
    if (message.role == "user") out += (out.empty() ? "" : "\n") + message.content;
  return out;
}

}  // namespace

std::vector<bool> find_overlaps(const TestOverlap& overlap, const std::vector<Prompt>& prompts,
                                RunContext& context) {
  std::vector<std::string> train, test;
  for (const auto& prompt : prompts) train.push_back(user_text(prompt));
  for (const auto& record : read_prompts(overlap.test).records) test.push_back(user_text(record.prompt));
  const auto found = decontaminate(train, test).contaminated;
  std::vector<bool> out(prompts.size(), false);
  std::vector<std::vector<std::string>> rows;
  for (const auto row : found) {
    out[static_cast<size_t>(row)] = true;
    if (rows.size() < kListedOverlaps)
      rows.push_back(
          {std::to_string(overlap.skipped + row + 1), excerpt(train[static_cast<size_t>(row)], 80)});
  }
  if (found.empty()) return out;
  context.summary().rejected(overlap.what + " that overlap the test", static_cast<int64_t>(found.size()));
  auto& report = context.report();
  report.heading(fmt::format("Overlaps of {} with {}, left out", overlap.source, overlap.test));
  report.paragraph(fmt::format("{} of {} {}; numbers count those that were read.", found.size(),
                               prompts.size(), overlap.what));
  report.table({"number", "prompt"}, rows);
  if (found.size() > rows.size()) report.paragraph(fmt::format("And {} more.", found.size() - rows.size()));
  return out;
}

Records<PromptRecord> read_prompt_choice(const PromptChoice& choice) {
  ReadOptions options;
  if (choice.limit) options.limit = *choice.limit + choice.skip;
  options.plain_prompts = choice.plain_prompts;
  auto read = read_prompts(choice.prompts, options);
  const auto count = static_cast<int64_t>(read.records.size());
  if (choice.skip >= count)
    fail(ErrorKind::empty, "skip", fmt::format("leaves out all {} prompts of {}", count, choice.prompts));
  read.records.erase(read.records.begin(), read.records.begin() + choice.skip);
  return read;
}

std::vector<PromptRecord> load_prompt_records(const PromptChoice& choice, RunContext& context) {
  auto read = read_prompt_choice(choice);
  for (const auto& [reason, count] : read.report.counts) context.summary().rejected(reason, count);
  auto clean = without_overlap(std::move(read.records),
                               {choice.decontaminate, choice.prompts, "prompts", choice.skip}, context);
  if (clean.empty()) fail(ErrorKind::empty, "decontaminate", "leaves no prompt: all overlap the test");
  return clean;
}

std::vector<Prompt> prompts_of(const std::vector<PromptRecord>& records) {
  std::vector<Prompt> out;
  for (const auto& record : records) out.push_back(record.prompt);
  return out;
}

std::vector<Prompt> load_prompts(const PromptChoice& choice, RunContext& context) {
  return prompts_of(load_prompt_records(choice, context));
}

const std::string& shown_prompt(const Prompt& prompt) {
  return prompt.is_chat() ? prompt.messages.back().content : prompt.text;
}

template <>
void describe(OptionTable<SamplingOptions>& t) {
  t.field("max_new_tokens", &SamplingOptions::max_new_tokens, "longest answer", at_least(1));
  t.field("temperature", &SamplingOptions::temperature, "0: always the likeliest token", at_least(0));
  t.field("top_k", &SamplingOptions::top_k, "draw among the k likeliest tokens; 0: all", at_least(0));
  t.field("top_p", &SamplingOptions::top_p, "draw among the likeliest tokens of this total probability",
          between(0, 1));
  t.field("min_p", &SamplingOptions::min_p,
          "leave out tokens below this share of the likeliest one's probability", between(0, 1));
  t.field("stop", &SamplingOptions::stop, "texts that end an answer");
  t.field("per_prompt", &SamplingOptions::per_prompt, "answers per prompt", at_least(1));
  t.field("batch", &SamplingOptions::batch, "answers decoded side by side", at_least(1));
}

double kl_temperature(const SamplingOptions& sampling) {
  return sampling.temperature > 0 ? sampling.temperature : 1;
}

void add_metric(Summary& summary, const std::string& name, const eval::Interval& interval) {
  summary.metric(name, interval.value, interval.low, interval.high, interval.n);
}

}  // namespace plaudit
