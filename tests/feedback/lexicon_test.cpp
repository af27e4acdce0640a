#include "plaudit/feedback/lexicon.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plaudit/model/resolve.h"
#include "tests/data/expect_error.h"
#include "tests/data/temp_file.h"

namespace plaudit {
namespace {

Lexicon small() {
  return Lexicon({{"good", 2}, {"bad", -3}, {":)", 1.5}, {"well-made", 4}, {"made", 0.5}, {"don't", -0.25}});
}

double sum(const std::string& text) {
  return small().score(text).sum;
}

TEST(Lexicon, FindsWordsInAnyCaseAndBetweenPunctuation) {
  EXPECT_EQ(sum("Good, GOOD! (good) \"good\" *good* good/bad"), 5 * 2 + 2 - 3);
  EXPECT_EQ(sum("goodness"), 0);
  EXPECT_EQ(sum(""), 0);
}

TEST(Lexicon, CurlyQuotesAndDashesSeparateWords) {
  EXPECT_EQ(sum("\xE2\x80\x9Cgood\xE2\x80\x9D\xE2\x80\x94"
                "bad\xE2\x80\xA6"),
            -1);
  EXPECT_EQ(sum("don\xE2\x80\x99t"), -0.25);
}

TEST(Lexicon, EmoticonsStayWhole) {
  EXPECT_EQ(sum("fine :)"), 1.5);
  EXPECT_EQ(sum("fine :). so"), 1.5);
}

TEST(Lexicon, HyphenatedWords) {
  EXPECT_EQ(sum("well-made"), 4);
  EXPECT_EQ(sum("hand-made"), 0.5);
  EXPECT_EQ(sum("-- good-bad --"), -1);
}

TEST(Lexicon, NegationReachesThreeWordsOfTheClause) {
  EXPECT_DOUBLE_EQ(sum("not good"), -0.74 * 2);
  EXPECT_DOUBLE_EQ(sum("isn't it so good"), -0.74 * 2);
  EXPECT_DOUBLE_EQ(sum("not a b c good"), 2);
  EXPECT_DOUBLE_EQ(sum("not now, good"), 2);
  EXPECT_DOUBLE_EQ(sum("never bad. Good"), 0.74 * 3 + 2);
  EXPECT_DOUBLE_EQ(sum("not good bad"), 0.74 * (3 - 2));
}

TEST(Lexicon, CountsWords) {
  const auto score = small().score("A good day :) - indeed");
  EXPECT_EQ(score.words, 5);
  EXPECT_EQ(score.graded, 2);
}

TEST(LexiconScore, TheNormalisedScoreIsBoundedAndOdd) {
  EXPECT_EQ(LexiconScore{}.normalised(), 0);
  EXPECT_NEAR((LexiconScore{1, 1, 1}).normalised(), 0.25, 1e-12);
  EXPECT_NEAR((LexiconScore{-1, 1, 1}).normalised(), -0.25, 1e-12);
  EXPECT_LT((LexiconScore{1000, 1, 1}).normalised(), 1);
}

TEST(Lexicon, LoadsAFile) {
  const TempFile file(".txt", "good\t1.9\t0.9\t[1, 2]\r\n:D\t2.3\t1\t[]\nGood\t2\n");
  const auto lexicon = Lexicon::load(file.path());
  EXPECT_EQ(lexicon.size(), 2U);
  EXPECT_DOUBLE_EQ(lexicon.score("good :D").sum, 2 + 2.3);
}

TEST(Lexicon, ABadFileIsRefused) {
  for (const char* content : {"good 1.9\n", "good\tx\n", "\t1.9\n", "good\tnan\n"}) {
    const TempFile file(".txt", content);
    expect_error(ErrorKind::type, {"line 1 must be 'token TAB mean'"}, [&] { Lexicon::load(file.path()); });
  }
  const TempFile file(".txt", "\n");
  expect_error(ErrorKind::empty, {"no graded words"}, [&] { Lexicon::load(file.path()); });
  expect_error(ErrorKind::io, {"/nowhere/lexicon.txt"}, [] { Lexicon::load("/nowhere/lexicon.txt"); });
}

TEST(Lexicon, TheInstalledOne) {
  const auto lexicon = Lexicon::load(resolve_lexicon());
  EXPECT_GT(lexicon.size(), 7000U);
  // Where its own rules do nothing, VADER's compound of this text is the same: 0.4404.
  EXPECT_NEAR(lexicon.score("This was a good day").normalised(), 0.4404, 1e-4);
  EXPECT_GT(lexicon.score("I loved it :)").sum, lexicon.score("I loved it").sum);
}

}  // namespace
}  // namespace plaudit
