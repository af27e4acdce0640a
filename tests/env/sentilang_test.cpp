#include "plaudit/env/sentilang.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace sentilang;

SentilangLines corpus(int64_t lines, const Moods& moods = {}) {
  Rng rng(7, "corpus");
  return sentilang_corpus(lines, moods, rng);
}

double share(const at::Tensor& flags) {
  return flags.to(at::kDouble).mean().item<double>();
}

TEST(Sentilang, WordsHaveTheirClassesAndWeights) {
  EXPECT_EQ(class_of(pad), special);
  EXPECT_EQ(class_of(eos), special);
  EXPECT_EQ(class_of(3), topic);
  EXPECT_EQ(class_of(10), topic);
  EXPECT_EQ(class_of(11), neutral);
  EXPECT_EQ(class_of(22), neutral);
  EXPECT_EQ(class_of(23), positive);
  EXPECT_EQ(class_of(32), positive);
  EXPECT_EQ(class_of(33), negative);
  EXPECT_EQ(class_of(42), negative);
  const auto w = weights();
  EXPECT_EQ(w.sum().item<double>(), 0);
  EXPECT_EQ(w[22].item<double>(), 0);
  EXPECT_EQ(w[23].item<double>(), 1);
  EXPECT_EQ(w[42].item<double>(), -1);
}

TEST(Sentilang, PromptsAreBosTopicAndTwoNeutrals) {
  const auto prompts = corpus(2000).prompts();
  EXPECT_TRUE(prompts.select(1, 0).eq(bos).all().item<bool>());
  const auto topics = prompts.select(1, 1), rest = prompts.narrow(1, 2, 2);
  EXPECT_EQ(topics.min().item<int64_t>(), 3);
  EXPECT_EQ(topics.max().item<int64_t>(), 10);
  EXPECT_EQ(rest.min().item<int64_t>(), 11);
  EXPECT_EQ(rest.max().item<int64_t>(), 22);
}

// EOS comes from the fourth word on, with probability .12 at each; nothing stands behind it.
TEST(Sentilang, AnswersEndAsTheyShould) {
  const auto lines = corpus(40000);
  EXPECT_EQ(lines.lengths.min().item<int64_t>(), 4);
  EXPECT_EQ(lines.lengths.max().item<int64_t>(), 12);
  EXPECT_NEAR(share(lines.lengths.eq(4)), 0.12, 0.006);
  EXPECT_NEAR(share(lines.ended().logical_not()), std::pow(0.88, 9), 0.008);
  const auto is_eos = lines.answers().eq(eos);
  EXPECT_TRUE(is_eos.sum(1).eq(lines.ended().to(at::kLong)).all().item<bool>());
  EXPECT_TRUE(lines.answers().masked_select(lines.mask().logical_not()).eq(pad).all().item<bool>());
}

TEST(Sentilang, MoodsSetTheClassesOfWords) {
  for (const auto& [moods, p, n] :
       {std::tuple{Moods{1, 0, 0}, 0.05, 0.5}, std::tuple{Moods{0, 1, 0}, 0.12, 0.12},
        std::tuple{Moods{0, 0, 1}, 0.5, 0.05}}) {
    const auto first = weights().index({corpus(40000, moods).answers().select(1, 0)});
    EXPECT_NEAR(share(first.gt(0)), p, 0.01);
    EXPECT_NEAR(share(first.lt(0)), n, 0.01);
  }
}

// The word in a class follows the word before it with probability .6, or is that word by chance.
TEST(Sentilang, WordsFollowTheWordBefore) {
  const auto lines = corpus(40000, {0, 0, 1});
  const auto before = lines.tokens.select(1, 3), word = lines.tokens.select(1, 4);
  const auto good = weights().index({word}).gt(0);
  const auto follows = word.eq(23 + (5 * before + 3).remainder(10));
  EXPECT_NEAR(share(follows.masked_select(good)), 0.6 + 0.4 / 10, 0.01);
}

}  // namespace
}  // namespace plaudit
