#include "plaudit/train/supervised.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "tests/support/tiny_model.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

Demonstration demo(const std::string& prompt, const std::string& completion, double weight = 1) {
  return {text_prompt(prompt), completion, weight};
}

std::string refusal(const std::vector<Demonstration>& demonstrations, const AnswerOptions& answers = {}) {
  try {
    SupervisedObjective objective(tiny_model(), demonstrations, answers);
  } catch (const UserError& error) {
    return message_of(error);
  }
  return "accepted";
}

TrainOptions quick(int64_t steps) {
  TrainOptions options;
  options.max_steps = steps;
  options.batch = 8;
  options.learning_rate = 0.01;
  return options;
}

TEST(Supervised, LossIsThePerTokenMeanOfWeightedCompletions) {
  const auto model = tiny_model();
  SupervisedObjective objective(model, {demo("ab", "cd"), demo("e", "", 2)});
  const auto loss = objective.loss({0, 1});
  EXPECT_EQ(loss.weight, 3 + 2 * 1);
  const TokenizedAnswers first{{'a', 'b'}, {{'c', 'd', ByteTokenizer::end}}},
      second{{'e'}, {{ByteTokenizer::end}}};
  const std::vector<const TokenizedAnswers*> both = {&first, &second};
  const auto logps = answer_logps(*model.transformer, pack_for_logps(both));
  EXPECT_NEAR(loss.loss_sum.item<double>(), -(logps[0] + 2 * logps[1]).item<double>(), 1e-5);
  EXPECT_EQ(objective.tokens(0), 5);
}

TEST(Supervised, ThePromptTeachesNothing) {
  // Changing only which token starts the prompt must leave the count of learnt tokens as it is.
  SupervisedObjective objective(tiny_model(), {demo("abcdef", "g")});
  EXPECT_EQ(objective.loss({0}).weight, 2);
}

TEST(Supervised, LearnsAnswersAndTheirEnd) {
  const auto model = tiny_model();
  SupervisedObjective objective(model, {demo("q1:", "yes"), demo("q2:", "no"), demo("q3:", "")});
  TrainContext context{.rng = Rng(0, "train")};
  train(objective, quick(150), context);
  EXPECT_LT(evaluate_objective(objective, 1000).at("loss"), 0.02);
  // Greedy continuation stops by itself.
  std::vector<int64_t> ids = {'q', '2', ':'};
  for (int i = 0; i < 3; ++i) {
    PackedBuilder packer;
    packer.add(ids);
    const auto hidden = model.transformer->hidden(packer.build());
    ids.push_back(
        model.transformer->logits(hidden.narrow(0, hidden.size(0) - 1, 1)).argmax().item<int64_t>());
  }
  EXPECT_EQ(ids, (std::vector<int64_t>{'q', '2', ':', 'n', 'o', ByteTokenizer::end}));
}

TEST(Supervised, ALoraRunChangesTheAdapterAlone) {
  const auto model = tiny_model();
  model.transformer->add_lora({.rank = 4, .alpha = 8}, 0);
  const auto before = model.transformer->weights().at("model.layers.0.mlp.up_proj.weight").clone();
  SupervisedObjective objective(model, {demo("q1:", "yes"), demo("q2:", "no")});
  const double start = evaluate_objective(objective, 1000).at("loss");
  TrainContext context{.rng = Rng(0, "train")};
  train(objective, quick(60), context);
  // The frozen head has rows of norm 0.1: no hidden state gains more than about 0.6 nats on it.
  EXPECT_LT(evaluate_objective(objective, 1000).at("loss"), start - 0.4);
  EXPECT_TRUE(at::equal(before, model.transformer->weights().at("model.layers.0.mlp.up_proj.weight")));
}

TEST(Supervised, BadDataIsRefused) {
  EXPECT_THAT(refusal({}), HasSubstr("there are no demonstrations"));
  EXPECT_THAT(refusal({demo("a", "b", -1)}), HasSubstr("weight of example 0 must be >= 0, got -1"));
  EXPECT_THAT(refusal({demo("a", "b", 0)}), HasSubstr("the weights of all examples are 0"));
  AnswerOptions narrow{.max_length = 4, .on_long = "drop"};
  EXPECT_THAT(refusal({demo("abc", "def")}, narrow), HasSubstr("every demonstration is above max_length"));
  narrow.on_long = "error";
  EXPECT_THAT(refusal({demo("abc", "def")}, narrow), HasSubstr("demonstration 0: prompt (3 tokens)"));
}

TEST(Supervised, ReportsWhatBecameOfTheData) {
  SupervisedObjective objective(tiny_model(), {demo("abc", "d"), demo("abcdefgh", "d")},
                                {.max_length = 6, .on_long = "drop"});
  EXPECT_EQ(objective.counts().at("dropped"), 1);
  EXPECT_EQ(objective.counts().at("examples"), 1);
  EXPECT_THAT(objective.show(0), HasSubstr("prompt: abc"));
}

}  // namespace
}  // namespace plaudit
