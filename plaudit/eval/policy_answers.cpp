#include "plaudit/eval/policy_answers.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "plaudit/core/errors.h"
#include "plaudit/data/answers.h"
#include "plaudit/model/answer_batch.h"

namespace plaudit {

std::vector<Answer> PolicyAnswers::flat() const {
  std::vector<Answer> out;
  for (size_t i = 0; i < prompts.size(); ++i)
    for (const auto& completion : completions[i])
      out.push_back({prompts[i], completion.text, extra.empty() ? Json::object() : extra[i]});
  return out;
}

PolicyAnswers PolicyAnswers::only(const std::vector<size_t>& places) const {
  PolicyAnswers out;
  for (const auto i : places) {
    out.prompts.push_back(prompts[i]);
    out.prompt_ids.push_back(prompt_ids[i]);
    out.completions.push_back(completions[i]);
    if (!extra.empty()) out.extra.push_back(extra[i]);
  }
  return out;
}

PolicyAnswers answer_prompts(const AnswerSource& source, const std::vector<Prompt>& prompts,
                             const SamplingOptions& sampling, const Rng& rng,
                             const std::function<void(int64_t, int64_t)>& progress) {
  PolicyAnswers out;
  out.prompts = prompts;
  for (const auto& prompt : prompts)
    out.prompt_ids.push_back(source.model.tokenizer->encode_prompt(prompt, source.model.chat_family));
  const Generator generator(source.model, source.precision, source.use_adapter, source.steering);
  GenerateCallbacks callbacks;
  callbacks.on_done = progress;
  out.completions = generator.generate(out.prompt_ids, sampling, rng, callbacks);
  return out;
}

std::vector<double> judge_scores(Judge& judge, const PolicyAnswers& answers) {
  std::vector<double> out;
  for (const auto& judgement : judge.judge(answers.flat())) {
    if (!judgement.error.empty())
      fail(ErrorKind::value, "judge " + judge.name(),
           fmt::format("cannot judge answer {}: {}", out.size(), judgement.error));
    out.push_back(judgement.score);
  }
  return out;
}

std::vector<double> prompt_means(const std::vector<double>& scores, int64_t per_prompt) {
  std::vector<double> out(scores.size() / static_cast<size_t>(per_prompt), 0.0);
  for (size_t i = 0; i < scores.size(); ++i)
    out[i / static_cast<size_t>(per_prompt)] += scores[i] / static_cast<double>(per_prompt);
  return out;
}

std::vector<double> answer_log_probabilities(const LanguageModel& model, bool use_adapter,
                                             const PolicyAnswers& answers, double temperature,
                                             int64_t tokens_per_batch) {
  const at::NoGradGuard no_grad;
  std::vector<TokenizedAnswers> examples;
  for (size_t i = 0; i < answers.prompts.size(); ++i) {
    TokenizedAnswers example{answers.prompt_ids[i], {}};
    for (const auto& completion : answers.completions[i]) example.answers.push_back(completion.ids);
    examples.push_back(std::move(example));
  }
  std::vector<double> out;
  for (size_t begin = 0; begin < examples.size();) {
    std::vector<const TokenizedAnswers*> batch;
    int64_t tokens = 0;
    do {
      tokens += examples[begin].tokens();
      batch.push_back(&examples[begin++]);
    } while (begin < examples.size() && tokens + examples[begin].tokens() <= tokens_per_batch);
    const auto logps = answer_logps(*model.transformer, pack_for_logps(batch), use_adapter, temperature)
                           .to(at::kCPU, at::kDouble);
    out.insert(out.end(), logps.data_ptr<double>(), logps.data_ptr<double>() + logps.numel());
  }
  return out;
}

std::vector<double> sequence_log_ratios(const LanguageModel& policy, const LanguageModel& reference,
                                        bool reference_uses_adapter, const PolicyAnswers& answers,
                                        double temperature, int64_t tokens_per_batch) {
  auto ratios = answer_log_probabilities(policy, true, answers, temperature, tokens_per_batch);
  const auto base =
      answer_log_probabilities(reference, reference_uses_adapter, answers, temperature, tokens_per_batch);
  for (size_t i = 0; i < ratios.size(); ++i) ratios[i] -= base[i];
  return ratios;
}

}  // namespace plaudit
