#include "plaudit/reward/reward_model.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/reward/score.h"
#include "tests/support/tiny_model.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

std::vector<Answer> answers() {
  return {{text_prompt("what?"), "this"},   {text_prompt("what?"), ""},
          {text_prompt("why?"), "because"}, {text_prompt("what?"), "nothing"},
          {text_prompt(""), "no prompt"},   {text_prompt("a long prompt here"), "x"}};
}

TEST(RewardModel, ScoresAreThoseOfTheHeadOnEachAnswerAlone) {
  for (const std::string pooling : {"last", "mean"}) {
    const RewardModel reward(tiny_model(), {.pooling = pooling, .bias = true}, 0);
    const auto scores = reward.score(answers());
    for (size_t i = 0; i < answers().size(); ++i) {
      auto ids = reward.backbone().tokenizer->encode(answers()[i].prompt.text + answers()[i].text);
      ids.push_back(ByteTokenizer::end);
      PackedBuilder packer;
      packer.add(ids);
      const auto hidden = reward.backbone().transformer->hidden(packer.build()).unsqueeze(0);
      const auto expected = score_hidden(hidden, at::ones({1, hidden.size(1)}),
                                         reward.head()[0].tensor.squeeze(0), {.pooling = pooling});
      EXPECT_NEAR(scores[i].score, expected[0].item<double>(), 1e-5) << pooling << " " << i;
    }
  }
}

TEST(RewardModel, ScoresDoNotDependOnTheBatch) {
  const RewardModel reward(tiny_model(), {}, 0);
  const auto together = reward.score(answers(), 4096), few = reward.score(answers(), 10);
  for (size_t i = 0; i < together.size(); ++i) {
    EXPECT_NEAR(together[i].score, few[i].score, 1e-5);
    EXPECT_NEAR(together[i].score, reward.score({answers()[i]})[0].score, 1e-5);
  }
}

TEST(RewardModel, AnAnswerThatCannotBeScoredSaysSo) {
  const RewardModel reward(tiny_model(), {.answers = {.max_length = 12, .max_prompt_length = 4}}, 0);
  auto some = answers();
  some.push_back({text_prompt(""), ""});
  const auto scores = reward.score(some);
  EXPECT_EQ(scores[0].error, "");
  EXPECT_THAT(scores[5].error, HasSubstr("exceed max_length 12"));
  EXPECT_THAT(scores[6].error, HasSubstr("both empty"));
}

TEST(RewardModel, ItsScaleIsSetOnReferenceAnswers) {
  RewardModel reward(tiny_model(), {}, 0);
  const auto raw = reward.score(answers());
  reward.normalise_to(answers());
  double sum = 0, squares = 0;
  for (const auto& judgement : reward.score(answers())) {
    sum += judgement.score;
    squares += judgement.score * judgement.score;
  }
  EXPECT_NEAR(sum, 0, 1e-5);
  EXPECT_NEAR(squares / 6, 1, 1e-5);
  EXPECT_NEAR(reward.score(answers())[2].score, (raw[2].score - reward.mean()) / reward.std(), 1e-5);
  EXPECT_THROW(reward.normalise_to({answers()[0]}), UserError);
  EXPECT_THROW(reward.normalise_to({answers()[0], answers()[0]}), UserError);
}

TEST(RewardModel, TheHeadStartsAsItsOptionsSay) {
  const RewardModel normal(tiny_model(), {}, 3), same(tiny_model(), {}, 3),
      zeros(tiny_model(), {.head_init = "zeros"}, 3);
  EXPECT_TRUE(at::equal(normal.head()[0].tensor, same.head()[0].tensor));
  EXPECT_EQ(normal.head()[0].tensor.sizes(), at::IntArrayRef({1, 32}));
  EXPECT_NEAR(normal.head()[0].tensor.square().mean().item<double>(), 1.0 / 33, 0.015);
  EXPECT_EQ(zeros.score(answers())[0].score, 0);
  EXPECT_THROW(RewardModel(tiny_model(), {.pooling = "first"}, 0), UserError);
}

TEST(RewardModel, IsAJudge) {
  const auto reward = std::make_shared<RewardModel>(tiny_model(), RewardModelOptions{}, 0);
  RewardModelJudge judge(reward);
  EXPECT_EQ(judge.name(), "reward-model");
  EXPECT_EQ(judge.judge(answers())[1].score, reward->score(answers())[1].score);
}

}  // namespace
}  // namespace plaudit
