#include "plaudit/data/revision.h"

#include <gtest/gtest.h>

namespace plaudit {
namespace {

TEST(RevisionPrompt, AChatGetsTheAnswerAndTheInstructionAsTurns) {
  const Prompt chat{"", {{"system", "s"}, {"user", "Hello"}}};
  const auto asked = revision_prompt(chat, "Hi", "Again.");
  ASSERT_EQ(asked.messages.size(), 4U);
  EXPECT_EQ(asked.messages[2], (Message{"assistant", "Hi"}));
  EXPECT_EQ(asked.messages[3], (Message{"user", "Again."}));
}

TEST(RevisionPrompt, PlainTextGoesOn) {
  EXPECT_EQ(revision_prompt({"Q: ", {}}, "A", "Again.").text, "Q: A\n\nAgain.\n\n");
}

}  // namespace
}  // namespace plaudit
