#include "plaudit/data/dialogue.h"

#include <gtest/gtest.h>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

TEST(SplitDialoguePair, TakesTheLastAnswer) {
  const auto pair = split_dialogue_pair("\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:  d\n",
                                        "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: e");
  EXPECT_EQ(pair.prompt, "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:");
  EXPECT_EQ(pair.chosen, "d");
  EXPECT_EQ(pair.rejected, "e");
  EXPECT_TRUE(pair.same_prompt);
}

TEST(SplitDialoguePair, NeedsAnAnswerOnBothSides) {
  const std::string whole = "\n\nHuman: a\n\nAssistant: b", half = "\n\nHuman: a";
  EXPECT_THROW(split_dialogue_pair(half, whole), UserError);
  EXPECT_THROW(split_dialogue_pair(whole, half), UserError);
  EXPECT_FALSE(split_dialogue_pair(whole, "\n\nHuman: z\n\nAssistant: b").same_prompt);
}

TEST(ParseDialogue, GivesMessages) {
  const std::vector<Message> expected{{"user", "a"}, {"assistant", "b: Human: x"}, {"user", "c"}};
  EXPECT_EQ(parse_dialogue("\n\nHuman: a\n\nAssistant: b: Human: x\n\nHuman: c\n\nAssistant:"), expected);
}

TEST(ParseDialogue, AnEmptyTurnInTheMiddleStays) {
  const std::vector<Message> expected{{"user", "a"}, {"assistant", ""}, {"user", "b"}};
  EXPECT_EQ(parse_dialogue("\n\nHuman: a\n\nAssistant:\n\nHuman: b"), expected);
}

TEST(ParseDialogue, NeedsAMarkerAtTheStart) {
  EXPECT_FALSE(is_dialogue("Human: a"));
  EXPECT_TRUE(is_dialogue("\n\nHuman: a"));
  EXPECT_THROW(parse_dialogue("Human: a"), UserError);
  EXPECT_TRUE(parse_dialogue("").empty());
}

}  // namespace
}  // namespace plaudit
