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
};

template <>
void describe(OptionTable<SampleStage>& t) {
  t.include(&SampleStage::prompts);
  t.include(&SampleStage::sampling);
  t.field("precision", &SampleStage::precision, "of decoding; auto: bf16 where the processor has it",
          one_of({"auto", "f32", "bf16"}));
}

void save_answers(const SampledAnswers& answers, const std::string& folder) {
  std::vector<Json> lines;
  for (size_t i = 0; i < answers.lists.size(); ++i) {
    const auto& list = answers.lists[i];
    Json line = {{"prompt", json_of(list.prompt)}, {"completions", list.completions}};
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
    } catch (const Json::exception&) {
      fail(ErrorKind::type, fmt::format("{}:{}", path, record.line), "is not a prompt with its completions");
    }
    return true;
  });
  return out;
}

namespace {

void run_sample(const SampleStage& options, RunContext& context) {
  const auto& policy = context.get<Policy>("policy");
  const auto records = load_prompt_records(options.prompts, context);
  const auto prompts = prompts_of(records);
  const auto answers = answer_prompts({policy.model, true, options.precision}, prompts, options.sampling,
                                      context.rng(), [&](int64_t done, int64_t total) {
                                        context.progress(done, total, "answers");
                                        context.throw_if_interrupted();
                                      });
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
                  .check = [](const SampleStage& options) { check_prompts(options.prompts); },
                  .run = run_sample,
              });

}  // namespace
}  // namespace plaudit
