#include "plaudit/train/supervised.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/objective/inverse_q.h"
#include "tests/support/tiny_model.h"
#include "tests/train/folder.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

Demonstration demo(const std::string& prompt, const std::string& completion, double weight = 1) {
  return {text_prompt(prompt), completion, weight};
}

std::string refusal(const std::vector<Demonstration>& demonstrations, const AnswerOptions& answers = {}) {
  try {
    SupervisedObjective objective(tiny_model(), demonstrations, {.answers = answers});
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
                                {.answers = {.max_length = 6, .on_long = "drop"}});
  EXPECT_EQ(objective.counts().at("dropped"), 1);
  EXPECT_EQ(objective.counts().at("examples"), 1);
  EXPECT_THAT(objective.show(0), HasSubstr("prompt: abc"));
}

// The objective of the paper from all logits, as objective/inverse_q.h has it: logits less `offset`.
at::Tensor plain_iq(const LanguageModel& model, const std::vector<TokenizedAnswers>& examples,
                    const std::vector<double>& terminal, double offset, const IqOptions& options) {
  int64_t longest = 0;
  for (const auto& e : examples) longest = std::max(longest, static_cast<int64_t>(e.answers[0].size()));
  const auto rows = static_cast<int64_t>(examples.size());
  std::vector<at::Tensor> logits;
  auto actions = at::zeros({rows, longest}, at::kLong), mask = at::zeros({rows, longest});
  for (int64_t i = 0; i < rows; ++i) {
    const auto& [prompt, answers] = examples[static_cast<size_t>(i)];
    auto ids = prompt;
    ids.insert(ids.end(), answers[0].begin(), answers[0].end());
    const auto length = static_cast<int64_t>(answers[0].size());
    PackedBuilder packer;
    packer.add(ids);
    const auto hidden = model.transformer->hidden(packer.build());
    const auto own =
        model.transformer->logits(hidden.narrow(0, static_cast<int64_t>(prompt.size()) - 1, length));
    logits.push_back(at::constant_pad_nd(own - offset, {0, 0, 0, longest - length}));
    actions[i].narrow(0, 0, length).copy_(at::tensor(answers[0], at::kLong));
    mask[i].narrow(0, 0, length).fill_(1);
  }
  return iq_td_mle_loss({at::stack(logits), actions, mask, at::tensor(terminal)}, options).loss;
}

TEST(Supervised, TheTdTermIsInverseSoftQLearning) {
  const auto model = tiny_model();
  // The second completion is cut: 8 tokens leave room for "fgh" without its end.
  SupervisedObjective objective(model, {demo("ab", "cd"), demo("abcde", "fghi"), demo("x", "")},
                                {.answers = {.max_length = 8, .max_prompt_length = 5, .on_long = "truncate"},
                                 .td_weight = 0.3,
                                 .discount = 0.9});
  TrainContext context{.rng = Rng(0, "train")};
  ASSERT_TRUE(objective.prepare({}, context));
  const auto end = ByteTokenizer::end;
  const std::vector<TokenizedAnswers> examples = {
      {{'a', 'b'}, {{'c', 'd', end}}}, {{'a', 'b', 'c', 'd', 'e'}, {{'f', 'g', 'h'}}}, {{'x'}, {{end}}}};
  std::vector<const TokenizedAnswers*> all;
  for (const auto& example : examples) all.push_back(&example);
  const double offset =
      answer_token_scores(*model.transformer, pack_for_logps(all)).lse.mean().item<double>();
  const auto loss = objective.loss({0, 1, 2});
  const auto expected = plain_iq(model, examples, {1, 0, 1}, offset, {.lam = 0.3, .gamma = 0.9});
  EXPECT_NEAR(loss.loss_sum.item<double>() / loss.weight, expected.item<double>(), 1e-4);
  loss.loss_sum.backward();
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : model.transformer->trainable()) {
    gradients.push_back(parameter.tensor.grad() / loss.weight);
    parameter.tensor.mutable_grad().reset();
  }
  expected.backward();
  for (size_t i = 0; i < gradients.size(); ++i) {
    const auto [name, weight] = model.transformer->trainable()[i];
    EXPECT_LT((weight.grad() - gradients[i]).abs().max().item<double>(), 1e-4) << name;
  }
}

TEST(Supervised, WithATdTermARunThatWasStoppedGoesOnBitForBit) {
  const TestFolder folder("supervised-td");
  const std::vector<Demonstration> data = {demo("q1:", "yes"), demo("q2:", "no"), demo("q3:", "maybe")};
  const SupervisedOptions options{.td_weight = 0.05};
  const auto whole = tiny_model(), stopped = tiny_model(), resumed = tiny_model();
  SupervisedObjective all(whole, data, options), first(stopped, data, options),
      second(resumed, data, options);
  TrainContext context{.rng = Rng(0, "train")};
  train(all, quick(12), context);
  TrainContext interrupted{.rng = Rng(0, "train"), .folder = folder.path()};
  int64_t steps = 0;
  interrupted.metrics = [&](int64_t step, const auto&) { steps = step; };
  interrupted.interrupt = [&] { return steps >= 5; };
  EXPECT_TRUE(train(first, quick(12), interrupted).interrupted);
  TrainContext rest{.rng = Rng(0, "train"), .folder = folder.path()};
  EXPECT_GT(train(second, quick(12), rest).resumed_from, 4);
  for (size_t i = 0; i < whole.transformer->trainable().size(); ++i)
    EXPECT_TRUE(
        at::equal(whole.transformer->trainable()[i].tensor, resumed.transformer->trainable()[i].tensor));
}

}  // namespace
}  // namespace plaudit
