#include "plaudit/data/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "tests/support/tiny_model.h"

namespace plaudit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t end = ByteTokenizer::end;

AnswerEncoder encoder(const AnswerOptions& options, AnswerEnd how = AnswerEnd::cut) {
  return {std::make_shared<ByteTokenizer>(), "", options, how};
}

AnswerOptions lengths(int64_t length, int64_t prompt, const std::string& on_long) {
  return {.max_length = length, .max_prompt_length = prompt, .on_long = on_long};
}

TEST(Answers, TheEndIsAppendedAlsoToAnEmptyAnswer) {
  auto all = encoder({});
  const auto example = all.encode("x", text_prompt("ab"), {"c", ""});
  ASSERT_TRUE(example);
  EXPECT_THAT(example->prompt, ElementsAre('a', 'b'));
  EXPECT_THAT(example->answers, ElementsAre(ElementsAre('c', end), ElementsAre(end)));
  EXPECT_EQ(example->tokens(), 5);
}

TEST(Answers, SpecialTokensCannotBeSmuggledIn) {
  auto all = encoder({});
  EXPECT_THAT(all.encode("x", text_prompt("a"), {"<end>"})->answers[0],
              ElementsAre('<', 'e', 'n', 'd', '>', end));
}

TEST(Answers, LongExamplesAreRefusedByDefault) {
  auto all = encoder(lengths(4, 2, "error"));
  EXPECT_TRUE(all.encode("x", text_prompt("ab"), {"c"}));
  try {
    all.encode("pair 7", text_prompt("abc"), {"d", "e"});
    FAIL() << "did not throw";
  } catch (const UserError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::value);
    EXPECT_THAT(message_of(error), HasSubstr("pair 7: prompt (3 tokens) and answer (2) exceed max_length 4"));
  }
}

TEST(Answers, NothingExceedsTheWindowOfTheModel) {
  AnswerEncoder all(std::make_shared<ByteTokenizer>(), "", {.max_length = 100, .max_prompt_length = 2},
                    AnswerEnd::cut, /*window=*/4);
  EXPECT_EQ(all.max_length(), 4);
  try {
    all.encode("pair 7", text_prompt("abc"), {"d"});
    FAIL() << "did not throw";
  } catch (const UserError& error) {
    EXPECT_THAT(message_of(error), HasSubstr("exceed the model's window of 4; set on_long to truncate"));
  }
  AnswerEncoder cut(std::make_shared<ByteTokenizer>(), "",
                    {.max_length = 100, .max_prompt_length = 2, .on_long = "truncate"}, AnswerEnd::cut, 4);
  EXPECT_EQ(cut.encode("x", text_prompt("abc"), {"defg"})->tokens(), 4);
}

TEST(Answers, CuttingFollowsTheRuleOfPairsAndIsCounted) {
  auto all = encoder(lengths(5, 2, "truncate"));
  auto example = all.encode("x", text_prompt("abcd"), {"e", "f"});
  EXPECT_THAT(example->prompt, ElementsAre('c', 'd'));
  EXPECT_THAT(example->answers[0], ElementsAre('e', end));
  example = all.encode("x", text_prompt("a"), {"bcdefg", "h"});
  EXPECT_THAT(example->answers, ElementsAre(ElementsAre('b', 'c', 'd'), ElementsAre('h', end)));
  EXPECT_EQ(all.counts().prompts_cut, 1);
  EXPECT_EQ(all.counts().answers_cut, 1);
  EXPECT_EQ(all.counts().examples, 2);
  EXPECT_EQ(all.counts().tokens, 2 + 2 + 2 + 1 + 3 + 2);

  auto start = lengths(5, 2, "truncate");
  start.truncation = "keep_start";
  EXPECT_THAT(encoder(start).encode("x", text_prompt("abcd"), {"e"})->prompt, ElementsAre('a', 'b'));
}

TEST(Answers, ScoredAnswersStayClosed) {
  auto all = encoder(lengths(5, 2, "truncate"), AnswerEnd::closed);
  EXPECT_THAT(all.encode("x", text_prompt("a"), {"bcdefg"})->answers[0], ElementsAre('b', 'c', end));
}

TEST(Answers, DroppedExamplesAreCounted) {
  auto all = encoder(lengths(4, 2, "drop"));
  EXPECT_FALSE(all.encode("x", text_prompt("abc"), {"de"}));
  EXPECT_EQ(all.counts().dropped, 1);
  EXPECT_EQ(all.counts().tokens, 0);
}

TEST(Answers, NothingAtAllAndContradictionsAreRefused) {
  auto all = encoder({});
  EXPECT_THROW(all.encode("x", text_prompt(""), {""}), UserError);
  EXPECT_TRUE(all.encode("x", text_prompt(""), {"a"}));
  EXPECT_THROW(encoder(lengths(4, 4, "truncate")), UserError);
}

}  // namespace
}  // namespace plaudit
