// sample: draws answers of the policy to prompts.
#include "plaudit/data/jsonl.h"
#include "plaudit/data/messages.h"
#include "plaudit/eval/policy_answers.h"
#include "plaudit/run/answers.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

struct SampleStage {
  PromptChoice prompts = {};
  SamplingOptions sampling = {.max_new_tokens = 64, .per_prompt = 4};
  std::string precision = "auto";
  int64_t reference_answers = 0;
  std::string reference_system;
  bool next_prompts = false;
};

template <>
void describe(OptionTable<SampleStage>& t) {
  t.include(&SampleStage::prompts);
  t.include(&SampleStage::sampling);
  t.field("precision", &SampleStage::precision, "of decoding; auto: bf16 where the processor has it",
          one_of({"auto", "f32", "bf16"}));
  t.field("reference_answers", &SampleStage::reference_answers,
          "answers per prompt that the policy's reference adds to the policy's own", at_least(0));
  t.field("reference_system", &SampleStage::reference_system,
          "a system message that only the reference gets, which makes it a teacher");
  t.field(
      "next_prompts", &SampleStage::next_prompts,
      "in round k of a repeat take the k-th `limit` prompts of the file, from its start again at its end");
}

std::vector<JudgedAnswers> to_judge(const SampledAnswers& answers) {
  std::vector<JudgedAnswers> lists;
  for (size_t i = 0; i < answers.lists.size(); ++i) {
    const auto& list = answers.lists[i];
    lists.push_back({list.prompt, list.completions, {}, list.extra});
    if (!answers.writers.empty()) lists.back().writers = answers.writers[i];
  }
  return lists;
}

void save_answers(const SampledAnswers& answers, const std::string& folder) {
  std::vector<Json> lines;
  for (size_t i = 0; i < answers.lists.size(); ++i) {
    const auto& list = answers.lists[i];
    Json line = {{"prompt", json_of(list.prompt)}, {"completions", list.completions}};
    if (!answers.writers.empty()) line["writers"] = answers.writers[i];
    if (!answers.ids.empty()) line["ids"] = answers.ids[i];
    if (!list.extra.empty()) line["extra"] = list.extra;
    lines.push_back(std::move(line));
  }
  write_json_lines(folder + "/answers.jsonl", lines);
}

SampledAnswers load_answers(const std::string& folder) {
  const auto path = folder + "/answers.jsonl";
  SampledAnswers out;
  for_each_json_line(path, [&](const RawRecord& record) {
    try {
      RankedList list;
      const auto& prompt = record.value.at("prompt");
      if (prompt.is_string())
        list.prompt.text = prompt.get<std::string>();
      else
        list.prompt.messages = read_messages(prompt, "prompt");
      list.completions = record.value.at("completions").get<std::vector<std::string>>();
      list.extra = record.value.value("extra", Json::object());
      if (record.value.contains("ids"))
        out.ids.push_back(record.value.at("ids").get<std::vector<std::vector<int64_t>>>());
      out.lists.push_back(std::move(list));
      if (record.value.contains("writers"))
        out.writers.push_back(record.value.at("writers").get<std::vector<std::string>>());
    } catch (const Json::exception&) {
      fail(ErrorKind::type, fmt::format("{}:{}", path, record.line), "is not a prompt with its completions");
    }
    return true;
  });
  return out;
}

namespace {

// The prompts of this round.
std::vector<PromptRecord> records_of(const SampleStage& options, RunContext& context) {
  if (!options.next_prompts) return load_prompt_records(options.prompts, context);
  auto whole_file = options.prompts;
  whole_file.limit.reset();
  const auto all = load_prompt_records(whole_file, context);
  const auto count = static_cast<size_t>(options.prompts.limit.value_or(0));
  if (count > all.size())
    fail(ErrorKind::value, "limit",
         fmt::format("asks for {} prompts a round, {} has {}", count, options.prompts.prompts, all.size()));
  std::vector<PromptRecord> out;
  const auto begin = static_cast<size_t>(context.round() - 1) * count;
  for (size_t i = 0; i < count; ++i) out.push_back(all[(begin + i) % all.size()]);
  return out;
}

Prompt with_system(Prompt prompt, const std::string& system) {
  if (system.empty()) return prompt;
  if (!prompt.is_chat())
    fail(ErrorKind::value, "reference_system", "needs prompts that are chats: plain_prompts: chat");
  if (prompt.messages.front().role == "system")
    prompt.messages.front().content = system;
  else
    prompt.messages.insert(prompt.messages.begin(), {"system", system});
  return prompt;
}

PolicyAnswers reference_answers(const SampleStage& options, const std::vector<Prompt>& prompts,
                                RunContext& context) {
  const auto reference = reference_of(context.get<Policy>("policy"), context);
  std::vector<Prompt> asked;
  for (const auto& prompt : prompts) asked.push_back(with_system(prompt, options.reference_system));
  auto sampling = options.sampling;
  sampling.per_prompt = options.reference_answers;
  return answer_prompts({reference.model, reference.use_adapter, options.precision}, asked, sampling,
                        context.rng("reference"), context.progress_of("answers of the reference"));
}

void check_sample(const SampleStage& options) {
  check_prompts(options.prompts);
  if (options.next_prompts && !options.prompts.limit)
    fail(ErrorKind::value, "next_prompts", "needs limit: the number of prompts of a round");
  if (!options.reference_system.empty() && options.reference_answers == 0)
    fail(ErrorKind::value, "reference_system", "is not used without reference_answers");
}

void run_sample(const SampleStage& options, RunContext& context) {
  const auto& policy = context.get<Policy>("policy");
  const auto records = records_of(options, context);
  const auto prompts = prompts_of(records);
  const auto answers = answer_prompts({policy.model, true, options.precision}, prompts, options.sampling,
                                      context.rng(), context.progress_of("answers"));
  SampledAnswers out;
  int64_t tokens = 0, ended = 0;
  for (size_t i = 0; i < prompts.size(); ++i) {
    RankedList list;
    list.prompt = prompts[i];
    list.extra = records[i].extra;
    out.ids.emplace_back();
    for (const auto& completion : answers.completions[i]) {
      list.completions.push_back(completion.text);
      out.ids.back().push_back(completion.ids);
      tokens += static_cast<int64_t>(completion.ids.size());
      ended += completion.finish == "stop";
    }
    out.lists.push_back(std::move(list));
  }
  if (options.reference_answers > 0) {
    const auto more = reference_answers(options, prompts, context);
    for (size_t i = 0; i < prompts.size(); ++i) {
      out.writers.emplace_back(out.lists[i].completions.size(), "policy");
      for (const auto& completion : more.completions[i]) {
        out.lists[i].completions.push_back(completion.text);
        out.ids[i].push_back(completion.ids);
        out.writers.back().push_back("reference");
      }
    }
  }
  const auto count = static_cast<int64_t>(prompts.size()) * options.sampling.per_prompt;
  context.summary().metric("sample/answers", static_cast<double>(count));
  context.summary().metric("sample/tokens_per_answer",
                           static_cast<double>(tokens) / static_cast<double>(count));
  context.summary().metric("sample/ended", static_cast<double>(ended) / static_cast<double>(count));
  context.put("answers", std::move(out));
}

PLAUDIT_ARTEFACT(SampledAnswers, "answers", &save_answers, &load_answers);
PLAUDIT_STAGE(sample, SampleStage,
              {
                  .doc = "Draws answers of the policy to prompts.",
                  .reads = {"policy"},
                  .writes = {"answers"},
                  .rounds_for = [](const SampleStage& o) { return o.next_prompts ? "next_prompts" : ""; },
                  .check = check_sample,
                  .run = run_sample,
              });

}  // namespace
}  // namespace plaudit
