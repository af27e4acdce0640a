// A policy's answers to prompts, what a judge says of them, and how far the policy is from its reference.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/feedback/judge.h"
#include "plaudit/model/generate.h"

namespace plaudit {

// Answers of one model to some prompts.
struct PolicyAnswers {
  std::vector<Prompt> prompts;
  std::vector<std::vector<int64_t>> prompt_ids;
  std::vector<std::vector<Completion>> completions;  // [prompts][per_prompt]
  std::vector<Json> extra = {};                      // of the prompts' records; empty: none

  // One after another: answer k of prompt i is number i*per_prompt + k.
  std::vector<Answer> flat() const;
  // Those to the prompts at these places.
  PolicyAnswers only(const std::vector<size_t>& places) const;
};

struct AnswerSource {
  LanguageModel model;
  bool use_adapter = true;
  std::string precision = "auto";  // of decoding, see Generator
  std::shared_ptr<const Steering> steering = nullptr;
};

// Draws answers; answer (i, k) depends on rng, i and k alone, so two models that are asked with the same rng
// are compared on equal luck.
PolicyAnswers answer_prompts(const AnswerSource& source, const std::vector<Prompt>& prompts,
                             const SamplingOptions& sampling, const Rng& rng,
                             const std::function<void(int64_t done, int64_t total)>& progress = {});

// Scores of all answers, in the order of flat(). UserError (value) when the judge cannot judge one. Stages
// leave out prompts that cannot be judged by run/judged_prompts.h.
std::vector<double> judge_scores(Judge& judge, const PolicyAnswers& answers);

// Mean over each prompt's answers, [prompts].
std::vector<double> prompt_means(const std::vector<double>& scores, int64_t per_prompt);

// Sum over tokens of log p of every answer under the model at that temperature, [answers], teacher-forced in
// the model's own precision.
std::vector<double> answer_log_probabilities(const LanguageModel& model, bool use_adapter,
                                             const PolicyAnswers& answers, double temperature,
                                             int64_t tokens_per_batch = 4096);

// Per answer log pi(y|x) - log ref(y|x), whose mean over the policy's own answers estimates KL(pi || ref) in
// nats per answer (the k1 estimator). Both at the temperature that the answers were drawn at; filters such as
// top_p are not counted.
std::vector<double> sequence_log_ratios(const LanguageModel& policy, const LanguageModel& reference,
                                        bool reference_uses_adapter, const PolicyAnswers& answers,
                                        double temperature, int64_t tokens_per_batch = 4096);

}  // namespace plaudit
