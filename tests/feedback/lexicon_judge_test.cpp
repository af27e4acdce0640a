#include "plaudit/feedback/lexicon_judge.h"

#include <gtest/gtest.h>

#include "plaudit/feedback/length_judge.h"

namespace plaudit {
namespace {

TEST(LexiconJudge, ScoresEachAnswerAlone) {
  LexiconJudge judge(Lexicon({{"good", 1}, {"bad", -1}}));
  const auto judgements = judge.judge({{{"Hi", {}}, "good"}, {{"good good", {}}, "bad"}, {{"", {}}, ""}});
  ASSERT_EQ(judgements.size(), 3U);
  EXPECT_DOUBLE_EQ(judgements[0].score, 0.25);
  EXPECT_DOUBLE_EQ(judgements[1].score, -0.25);
  EXPECT_DOUBLE_EQ(judgements[2].score, 0);
  EXPECT_EQ(judgements[2].error, "");
  EXPECT_EQ(judge.name(), "lexicon");
}

TEST(LengthJudge, IsBestAtTheTarget) {
  LengthJudge judge(3);
  const auto judgements = judge.judge({{{}, "a b  c\n"}, {{}, "a"}, {{}, ""}, {{}, "a b c d e"}});
  EXPECT_EQ(judgements[0].score, 0);
  EXPECT_EQ(judgements[1].score, -2);
  EXPECT_EQ(judgements[2].score, -3);
  EXPECT_EQ(judgements[3].score, -2);
}

}  // namespace
}  // namespace plaudit
