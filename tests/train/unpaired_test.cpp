#include "plaudit/train/unpaired.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/objective/preference_kto.h"
#include "tests/support/tiny_model.h"
#include "tests/train/folder.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

UnpairedFeedback record(const std::string& prompt, const std::string& answer, bool desirable) {
  return {text_prompt(prompt), answer, desirable};
}

std::vector<UnpairedFeedback> records() {
  return {record("first", "good", true),
          record("first", "bad", false),
          record("second one", "good too", true),
          record("second one", "", false),
          record("x", "fine", true),
          record("yz", "bad, very bad", false),
          record("a last one", "worse", false)};
}

TrainContext context_in(const std::string& folder = "") {
  return {.rng = Rng(0, "train"), .folder = folder};
}

TrainOptions quick(int64_t steps) {
  TrainOptions options;
  options.max_steps = steps;
  options.batch = 4;
  options.learning_rate = 3e-3;
  return options;
}

LanguageModel lora_model(double dropout = 0) {
  auto model = tiny_model();
  model.transformer->add_lora({.rank = 4, .alpha = 8, .dropout = dropout}, 0);
  return model;
}

void move(const LanguageModel& model) {
  const at::NoGradGuard no_grad;
  Rng rng(5, "move");
  for (const auto& [name, weight] : model.transformer->trainable())
    weight.detach().add_(rng.normal_tensor(weight.sizes()) * 0.05);
}

TEST(Unpaired, WeightsAreComparedAsTheyCountInAll) {
  EXPECT_DOUBLE_EQ(UnpairedObjective(tiny_model(), records(), {}).weight_ratio(), 3.0 / 4);
  UnpairedOptions weighted;
  weighted.desirable_weight = 1.5;
  EXPECT_DOUBLE_EQ(UnpairedObjective(tiny_model(), records(), weighted).weight_ratio(), 1.5 * 3 / 4);
}

std::string refusal(const std::vector<UnpairedFeedback>& data, const UnpairedOptions& options = {}) {
  try {
    UnpairedObjective objective(tiny_model(), data, options);
  } catch (const UserError& error) {
    return message_of(error);
  }
  return "accepted";
}

double logp(const LanguageModel& model, const std::string& prompt, const std::string& answer) {
  const at::NoGradGuard no_grad;
  TokenizedAnswers example{model.tokenizer->encode(prompt), {model.tokenizer->encode(answer)}};
  example.answers[0].push_back(ByteTokenizer::end);
  const std::vector<const TokenizedAnswers*> one = {&example};
  return answer_logps(*model.transformer, pack_for_logps(one)).item<double>();
}

at::Tensor vector_of(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

// Answer of the next example with another prompt.
const std::vector<size_t> kPartners = {2, 2, 4, 4, 5, 6, 0};

TEST(Unpaired, LossIsThatOfTheFunctionsOnEachAnswerAlone) {
  const auto policy = tiny_model(), start = tiny_model();
  const auto data = records();
  UnpairedObjective objective(policy, data,
                              {.beta = 0.5, .desirable_weight = 1.2, .undesirable_weight = 0.7});
  auto context = context_in();
  ASSERT_TRUE(objective.prepare({}, context));
  move(policy);
  std::vector<double> own, reference, other, other_reference, desirable;
  for (size_t i = 0; i < data.size(); ++i) {
    const auto& prompt = data[i].prompt.text;
    own.push_back(logp(policy, prompt, data[i].completion));
    reference.push_back(logp(start, prompt, data[i].completion));
    other.push_back(logp(policy, prompt, data[kPartners[i]].completion));
    other_reference.push_back(logp(start, prompt, data[kPartners[i]].completion));
    desirable.push_back(data[i].desirable ? 1 : 0);
  }
  const auto point = kto_reference_point(vector_of(other), vector_of(other_reference));
  const auto expected = kto_loss(vector_of(own), vector_of(reference), vector_of(desirable), point,
                                 {.beta = 0.5, .desirable_weight = 1.2, .undesirable_weight = 0.7});
  const auto metrics = evaluate_objective(objective, 30);
  EXPECT_NEAR(metrics.at("loss"), expected.loss.item<double>(), 1e-5);
  EXPECT_NEAR(metrics.at("reference_point"), point.item<double>(), 1e-4);
  EXPECT_NEAR(metrics.at("rewards/desirable"),
              ((expected.rewards * vector_of(desirable)).sum() / 3).item<double>(), 1e-4);
}

TEST(Unpaired, TheReferencePointIsPositiveWhereThePolicyLikesMismatches) {
  const auto policy = tiny_model();
  UnpairedObjective objective(policy, records(), {});
  auto context = context_in();
  ASSERT_TRUE(objective.prepare({}, context));
  // All answers likelier than at the start: train on them.
  TrainOptions options = quick(10);
  train(objective, options, context);
  const double point = evaluate_objective(objective, 1000).at("reference_point");
  EXPECT_GE(point, 0);
}

TEST(Unpaired, AllReferencesAgreeInValue) {
  std::vector<double> losses;
  for (const std::string mode : {"cached", "copy", "adapter_off"}) {
    const auto model = lora_model();
    UnpairedObjective objective(model, records(), {.reference = mode});
    auto context = context_in();
    ASSERT_TRUE(objective.prepare({}, context));
    move(model);
    losses.push_back(evaluate_objective(objective, 1000).at("loss"));
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-5);
  EXPECT_NEAR(losses[0], losses[2], 1e-5);
  EXPECT_GT(std::abs(losses[0] - 0.5), 1e-4);
}

TEST(Unpaired, PassesDoNotChangeTheUpdates) {
  std::vector<at::Tensor> weights;
  for (const int64_t tokens : {10000, 25}) {
    const auto model = lora_model();
    UnpairedObjective objective(model, records(), {.beta = 0.5});
    auto options = quick(6);
    options.eps = 1e-4;  // keeps rounding out of elements whose gradient is almost zero
    options.tokens_per_batch = tokens;
    auto context = context_in();
    train(objective, options, context);
    std::vector<at::Tensor> all;
    for (const auto& [name, weight] : model.transformer->trainable())
      all.push_back(weight.detach().flatten());
    weights.push_back(at::cat(all));
  }
  EXPECT_LT((weights[0] - weights[1]).abs().max().item<double>(), 2e-4);
}

TEST(Unpaired, TrainingLikesTheDesirable) {
  UnpairedObjective objective(tiny_model(), records(), {});
  auto context = context_in();
  ASSERT_TRUE(objective.prepare({}, context));
  EXPECT_NEAR(evaluate_objective(objective, 1000).at("loss"), 0.5, 1e-5);
  train(objective, quick(30), context);
  const auto after = evaluate_objective(objective, 1000);
  EXPECT_LT(after.at("loss"), 0.45);
  EXPECT_GT(after.at("rewards/desirable"), after.at("rewards/undesirable"));
}

TEST(Unpaired, AStoppedRunContinuesBitForBit) {
  const TestFolder folder("unpaired-resume");
  auto options = quick(8);
  options.checkpoint_every = 3;
  const auto whole = lora_model(0.1), stopped = lora_model(0.1), resumed = lora_model(0.1);
  UnpairedObjective first(whole, records(), {}), second(stopped, records(), {}),
      third(resumed, records(), {});
  auto context = context_in();
  train(first, options, context);

  auto interrupted = context_in(folder.path());
  int64_t steps = 0;
  interrupted.metrics = [&](int64_t step, const auto&) { steps = step; };
  interrupted.interrupt = [&] { return steps >= 3; };
  EXPECT_TRUE(train(second, options, interrupted).interrupted);
  auto rest = context_in(folder.path());
  EXPECT_EQ(train(third, options, rest).resumed_from, 4);
  const auto a = whole.transformer->trainable(), b = resumed.transformer->trainable();
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i].tensor, b[i].tensor)) << a[i].name;
}

TEST(Unpaired, AnEmptyPromptIsNotPairedWithAnEmptyAnswer) {
  UnpairedObjective objective(
      tiny_model(), {record("", "text", true), record("p", "", false), record("q", "other", true)}, {});
  auto context = context_in();
  ASSERT_TRUE(objective.prepare({}, context));
  EXPECT_NEAR(evaluate_objective(objective, 1000).at("loss"), 0.5, 1e-5);
}

TEST(Unpaired, BadDataAndContradictionsAreRefused) {
  EXPECT_THAT(refusal({}), HasSubstr("there are no records"));
  EXPECT_THAT(refusal({record("a", "b", true), record("c", "d", true)}),
              HasSubstr("every record is desirable, expected both kinds"));
  EXPECT_THAT(refusal({record("a", "b", false)}), HasSubstr("every record is undesirable"));
  EXPECT_THAT(refusal({record("a", "b", true), record("a", "b", false)}), HasSubstr("no mismatched pair"));
  EXPECT_EQ(refusal({record("a", "b", true), record("a", "c", false)}), "accepted");
  EXPECT_THAT(refusal(records(), {.reference = "adapter_off"}), HasSubstr("the policy has no adapter"));
  EXPECT_THAT(refusal({record(std::string(600, 'a'), "b", true)}),
              HasSubstr("record 0: prompt (600 tokens) and answer (2) exceed the model's window of 512"));
}

}  // namespace
}  // namespace plaudit
