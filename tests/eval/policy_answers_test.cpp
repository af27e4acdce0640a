#include "plaudit/eval/policy_answers.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "plaudit/core/errors.h"
#include "tests/support/tiny_model.h"

namespace plaudit {
namespace {

const SamplingOptions sampling = {.max_new_tokens = 6, .per_prompt = 2};

PolicyAnswers answers_of(const LanguageModel& model, bool use_adapter = true) {
  return answer_prompts({model, use_adapter, "f32"},
                        {text_prompt("one"), text_prompt("a longer prompt"), text_prompt("x")}, sampling,
                        Rng(3, "answers"));
}

class FailingJudge : public Judge {
 public:
  std::string name() const override { return "failing"; }
  std::vector<Judgement> judge(const std::vector<Answer>& answers) override {
    std::vector<Judgement> out(answers.size());
    for (size_t i = 0; i < out.size(); ++i) out[i].score = static_cast<double>(i);
    out[3].error = "no verdict";
    return out;
  }
};

TEST(PolicyAnswers, FlatFollowsPromptsThenAnswers) {
  const auto answers = answers_of(tiny_model());
  const auto flat = answers.flat();
  ASSERT_EQ(flat.size(), 6u);
  EXPECT_EQ(flat[3].prompt.text, "a longer prompt");
  EXPECT_EQ(flat[3].text, answers.completions[1][1].text);
}

TEST(PolicyAnswers, TeacherForcedLogProbabilitiesEqualThoseOfSampling) {
  const auto model = tiny_model();
  const auto answers = answers_of(model);
  const auto forced = answer_log_probabilities(model, true, answers, 1);
  const auto at_once = answer_log_probabilities(model, true, answers, 1, 100000);
  size_t number = 0;
  for (const auto& list : answers.completions) {
    for (const auto& completion : list) {
      const auto sampled = std::accumulate(completion.logps.begin(), completion.logps.end(), 0.0);
      EXPECT_NEAR(forced[number], sampled, 1e-3 * std::abs(sampled));
      EXPECT_NEAR(at_once[number], forced[number], 1e-4 * std::abs(sampled));
      ++number;
    }
  }
}

TEST(PolicyAnswers, AModelDoesNotDifferFromItself) {
  const auto model = tiny_model();
  for (const auto ratio : sequence_log_ratios(model, model, true, answers_of(model), 0.7))
    EXPECT_EQ(ratio, 0);
}

TEST(PolicyAnswers, AFreshAdapterChangesNothingAndAnotherOneDoes) {
  const auto model = tiny_model();
  model.transformer->add_lora({.rank = 2}, 1);
  const auto answers = answers_of(model);
  for (const auto ratio : sequence_log_ratios(model, model, false, answers, 1)) EXPECT_NEAR(ratio, 0, 1e-5);
  const at::NoGradGuard no_grad;
  for (const auto& parameter : model.transformer->trainable()) parameter.tensor.add_(0.1);
  double moved = 0;
  for (const auto ratio : sequence_log_ratios(model, model, false, answers, 1)) moved += std::abs(ratio);
  EXPECT_GT(moved, 0.1);
}

TEST(PolicyAnswers, AnAnswerWithoutAVerdictStopsTheEvaluation) {
  FailingJudge judge;
  EXPECT_THROW(judge_scores(judge, answers_of(tiny_model())), UserError);
}

TEST(PolicyAnswers, MeansArePerPrompt) {
  EXPECT_EQ(prompt_means({1, 3, 5, 6}, 2), (std::vector<double>{2, 5.5}));
}

}  // namespace
}  // namespace plaudit
